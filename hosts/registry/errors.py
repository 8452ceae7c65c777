"""What can be wrong between us and a registry: a sentence for each. `where` is the registry's address."""

from typing import Any

from hosts.engine.errors import EngineError, gettext_noop


class RegistryError(EngineError):
    """Something is wrong with a registry or the way to it."""

    code = "registry_error"
    template = gettext_noop("The registry %(where)s did not do that: %(words)s.")
    defaults = {"words": ""}

    def __init__(self, detail: object = "", *, where: object, **params: Any) -> None:
        super().__init__(detail, where=where, **params)
        if "words" in self.params and not self.params["words"]:
            self.params["words"] = self.detail.rstrip(".") or "?"


# ---------------------------------------------------------------- the way to it
class Unreachable(RegistryError):
    code = "registry_unreachable"
    template = gettext_noop(
        "The registry %(where)s cannot be reached: %(words)s. Check its address, and this machine's network and DNS."
    )


class Slow(RegistryError):
    code = "registry_timed_out"
    status = 504
    template = gettext_noop(
        "The registry %(where)s did not answer within %(seconds)s s. Check that it is up and not overloaded."
    )
    defaults = {"seconds": "10"}


class Untrusted(RegistryError):
    code = "registry_untrusted"
    template = gettext_noop(
        "The certificate of the registry %(where)s is not trusted: %(words)s. If a CA of your own signed it, give that "
        "CA's certificate with this registry."
    )


class SpeaksHTTP(RegistryError):
    code = "registry_speaks_http"
    template = gettext_noop(
        "The registry %(where)s does not speak TLS. Switch TLS on there, or allow HTTP without encryption for it."
    )


class SpeaksHTTPS(RegistryError):
    code = "registry_speaks_https"
    template = gettext_noop(
        "The registry %(where)s speaks TLS only. Take back that HTTP without encryption is allowed."
    )


class NotARegistry(RegistryError):
    code = "not_a_registry"
    template = gettext_noop(
        "What answers at %(where)s is no registry: %(words)s. Check the address and the port; the address has no path."
    )


class ForbiddenAddress(RegistryError):
    code = "registry_forbidden_address"
    status = 400
    template = gettext_noop(
        "%(where)s leads to %(address)s, an address that Dermaga does not visit: it is local to this machine's network "
        "card or belongs to a cloud's metadata service."
    )
    defaults = {"address": ""}


class InsideAddress(RegistryError):
    code = "registry_inside_address"
    status = 400
    template = gettext_noop(
        "%(where)s leads to %(address)s, inside a private network. Dermaga goes there only if somebody who manages all hosts "
        "stored that address, and never because a server outside says so. Ask one of them."
    )
    defaults = {"address": ""}


# ---------------------------------------------------------------- login
class WrongLogin(RegistryError):
    code = "registry_wrong_login"
    template = gettext_noop(
        "The registry %(where)s does not take the login of %(user)s. Check the user name, and enter the password or "
        "token again; it may have expired."
    )
    defaults = {"user": ""}


class NeedsLogin(RegistryError):
    code = "registry_needs_login"
    template = gettext_noop("The registry %(where)s wants a login for this. Add an account to it.")


class NotAllowed(RegistryError):
    code = "registry_not_allowed"
    template = gettext_noop("The account %(user)s may not do this at the registry %(where)s.")
    defaults = {"user": ""}


class BadRealm(RegistryError):
    code = "registry_bad_realm"
    template = gettext_noop(
        "The registry %(where)s asks for the login to be sent to %(realm)s. Dermaga sends it over TLS only, or to the "
        "registry's own host."
    )
    defaults = {"realm": ""}


# ---------------------------------------------------------------- answers
class Limited(RegistryError):
    code = "registry_limited"
    status = 429
    template = gettext_noop(
        "The registry %(where)s answers no more for now: its rate limit is reached. Wait, or use an account with a "
        "higher limit."
    )

    @classmethod
    def until(cls, seconds: int | None, where: str) -> "Limited":
        """With the time to wait, if the registry told one."""
        if seconds is None:
            return cls(where=where)
        error = cls(where=where, minutes=max(1, -(-seconds // 60)))
        error.template = gettext_noop(
            "The registry %(where)s answers no more for now: its rate limit is reached. Try again in %(minutes)s min, "
            "or use an account with a higher limit."
        )
        return error


class RepositoryUnknown(RegistryError):
    code = "repository_unknown"
    status = 404
    template = gettext_noop(
        "The registry %(where)s has no repository %(name)s, or hides it from this account. Check the name."
    )
    defaults = {"name": ""}


class TagUnknown(RegistryError):
    code = "tag_unknown"
    status = 404
    template = gettext_noop("The repository %(name)s at %(where)s has no %(tag)s. It may have been deleted just now.")
    defaults = {"name": "", "tag": ""}


class TagMoved(RegistryError):
    code = "tag_moved"
    status = 409
    template = gettext_noop(
        "The tag %(tag)s of %(name)s at %(where)s stands for another image by now. Nothing was deleted: look again."
    )
    defaults = {"name": "", "tag": ""}


class NoCatalogue(RegistryError):
    code = "registry_no_catalogue"
    status = 501
    template = gettext_noop("The registry %(where)s has no list of all its repositories. Look for one by its name.")


class CatalogueDenied(RegistryError):
    code = "registry_catalogue_denied"
    status = 403
    template = gettext_noop(
        "The registry %(where)s does not list its repositories for this account. Look for one by its name."
    )


class DeleteUnsupported(RegistryError):
    code = "registry_no_delete"
    status = 501
    template = gettext_noop(
        "The registry %(where)s does not let anybody delete. With Docker's own registry, set "
        "storage.delete.enabled in its configuration."
    )
