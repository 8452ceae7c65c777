"""What can be wrong with a place for backups: a sentence for each. `where` is what people call the place."""

from hosts.engine.errors import EngineError, gettext_noop


class StoreError(EngineError):
    code = "store_failed"
    template = gettext_noop("%(where)s does not keep backups now: %(message)s.")
    defaults = {"message": ""}

    def __init__(self, detail: object = "", **params: object) -> None:
        params.setdefault("message", str(detail).rstrip("."))
        super().__init__(detail, **params)


class NoFolder(StoreError):
    code = "store_no_folder"
    status = 409
    template = gettext_noop(
        "The folder of %(where)s cannot be used: %(message)s. It must be there, in one of the folders that "
        "DERMAGA_BACKUP_FOLDERS allows, with no links on the way, and the user that Dermaga runs as must be able to write to it."
    )


class Full(StoreError):
    code = "store_full"
    status = 507
    template = gettext_noop("There is no room left at %(where)s. Remove old backups, or choose another place.")


class NotThere(StoreError):
    code = "store_not_there"
    status = 404
    template = gettext_noop("The file is not at %(where)s any more: somebody has removed or renamed it there.")


class Broken(StoreError):
    code = "backup_broken"
    status = 409
    template = gettext_noop("This is no whole backup: %(message)s.")


class WrongHash(StoreError):
    code = "backup_changed"
    status = 409
    template = gettext_noop(
        "The file at %(where)s is not the one that was stored: its hash is another. It was changed, or the disk is broken."
    )
