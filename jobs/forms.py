"""The form of a schedule."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common.forms import RefusedForm
from jobs.models import Schedule
from jobs.schedules import NAME_AT_MOST


class ScheduleForm(RefusedForm):
    """When it runs. What it does comes from a job."""

    name = forms.CharField(label=_("Name"), max_length=NAME_AT_MOST)
    cron = forms.CharField(
        label=_("Times"),
        max_length=100,
        initial="30 2 * * *",
        help_text=_(
            "minute hour day month weekday: 30 2 * * * is every night at half past two, 0 */6 * * 1-5 every six hours from Monday to Friday"
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    timezone = forms.ChoiceField(label=_("Time zone"))
    catch_up = forms.BooleanField(
        label=_("When a time was missed, start it once as soon as Dermaga runs again"), required=False
    )

    def __init__(self, *args: Any, schedule: Schedule | None = None, **kwargs: Any) -> None:
        if schedule is not None:
            kwargs["initial"] = {name: getattr(schedule, name) for name in ("name", "cron", "timezone", "catch_up")}
        super().__init__(*args, **kwargs)
        zones: Any = self.fields["timezone"]
        zones.choices = [(name, name) for name in sorted(available_timezones() - {"localtime"})]
        zones.initial = settings.TIME_ZONE
