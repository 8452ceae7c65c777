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


class Unreachable(StoreError):
    code = "store_unreachable"
    template = gettext_noop(
        "%(where)s cannot be reached: %(words)s. Check its address, and the network and DNS of this machine."
    )
    defaults = {"message": "", "words": ""}


class Untrusted(StoreError):
    code = "store_untrusted"
    template = gettext_noop(
        "The certificate of %(where)s is not trusted: %(message)s. If a CA of your own signed it, add that CA to the destination."
    )


class NoS3(StoreError):
    code = "store_no_s3"
    template = gettext_noop("What answers at %(where)s does not speak S3. Check the address and the port.")


class NoBucket(StoreError):
    code = "store_no_bucket"
    status = 409
    template = gettext_noop("%(where)s has no bucket called %(bucket)s. Make it there, or correct the name.")
    defaults = {"message": "", "bucket": ""}


class KeysWrong(StoreError):
    code = "store_keys_wrong"
    status = 409
    template = gettext_noop(
        "%(where)s does not take the keys: %(message)s. Enter them again; the secret may have been replaced."
    )


class NotAllowed(StoreError):
    code = "store_not_allowed"
    status = 409
    template = gettext_noop(
        "The keys may not do this in the bucket %(bucket)s of %(where)s: %(message)s. They need to list, read, write and delete."
    )
    defaults = {"message": "", "bucket": ""}


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


# by the codes of hosts.engine.errors
WORDS = {
    "refused": "nothing listens there",
    "name_unknown": "its name is unknown",
    "no_route": "there is no way to it",
    "connection_lost": "it ended the connection",
    "timed_out": "it does not answer",
    "tls_to_plain": "it speaks no TLS: use http://",
    "plain_to_tls": "it wants TLS: use https://",
}
