"""`manage.py makemessages`, which also hears n_(...): the sentences of the scripts in common/templatetags/words.py."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=n_"]
