"""Why a registry did not give or take an image, read from the words in which an engine tells it.

Docker 20.10, 26 and Podman wrap a registry's answer in different words, and put it into an HTTP answer or into the
stream; what the registry itself said stays in it.
"""

from hosts.engine.answers import Answered, ImageUnknown, RegistryRefused, RegistryUnreachable
from hosts.engine.errors import EngineError, gettext_noop


class RegistryAnswer(Answered):
    """What a registry made of an engine's request; `image` is what it was about, `registry` its address."""

    defaults = {"message": "", "image": "", "registry": "", "user": ""}


class LoginWrong(RegistryAnswer):
    code = "registry_wrong_login"
    template = gettext_noop(
        "The registry %(registry)s does not take the login of %(user)s for %(image)s: %(message)s. Check the user name, "
        "and enter the password or token again; it may have expired."
    )


class NotAllowed(RegistryAnswer):
    code = "registry_not_allowed"
    template = gettext_noop(
        "The account %(user)s may not do this with %(image)s at the registry %(registry)s, or there is no such "
        "repository: %(message)s. Choose another account, or check the name."
    )


class PushRefused(RegistryAnswer):
    code = "registry_refused"
    template = gettext_noop(
        "The registry %(registry)s does not take %(image)s from the engine at %(where)s: %(message)s. It wants a login "
        "that may push there: choose an account."
    )


class RateLimited(RegistryAnswer):
    code = "registry_limited"
    status = 429
    template = gettext_noop(
        "The registry %(registry)s gives the engine at %(where)s no more for now, its rate limit is reached: "
        "%(message)s. Wait, or use an account with a higher limit."
    )


class Untrusted(RegistryAnswer):
    code = "registry_untrusted"
    template = gettext_noop(
        "The engine at %(where)s does not trust the certificate of the registry %(registry)s: %(message)s. If a CA of "
        "your own signed it, put that CA into /etc/docker/certs.d/%(registry)s/ca.crt on that machine."
    )


class PlainHTTP(RegistryAnswer):
    code = "registry_speaks_http"
    template = gettext_noop(
        "The registry %(registry)s speaks HTTP without encryption, and the engine at %(where)s wants TLS: %(message)s. "
        "Switch TLS on there, or name it in that engine's insecure-registries."
    )


class NoPlatform(RegistryAnswer):
    code = "no_platform"
    status = 404
    template = gettext_noop(
        "The registry has no %(image)s for this platform: %(message)s. Choose another platform or tag."
    )
    pulled = ""  # the platform of what came instead


# The first that fits counts: a refusal may say "not found" as well, and a wrong certificate comes with an address.
Told = list[tuple[type[Answered], tuple[str, ...]]]
FIRST: Told = [
    (RateLimited, ("toomanyrequests", "too many requests", "rate limit", "status code 429")),
    (PlainHTTP, ("server gave http response to https client",)),
    (Untrusted, ("x509:", "failed to verify certificate", "certificate signed by", "certificate has expired")),
    (
        NoPlatform,
        (
            "no matching manifest for",
            "does not match the specified platform",
            "no image found in image index for",
            "no image found in manifest list for",
        ),
    ),
]
# of who has logged in; a token server takes the login, and then the registry says what it may not do
WITH_LOGIN: Told = [
    (NotAllowed, ("requested access to the resource is denied", "insufficient_scope")),
    (
        LoginWrong,
        (
            "incorrect username or password",
            "invalid username/password",
            "failed to fetch oauth token",
            "unauthorized: authentication required",
            "401 unauthorized",
        ),
    ),
]
LAST: Told = [
    (
        RegistryRefused,
        ("access denied", "denied:", "unauthorized", "authentication required", "basic auth", "insufficient_scope"),
    ),
    (
        RegistryUnreachable,
        ("dial tcp", "no such host", "i/o timeout", "connection re", "tls:", "http: server gave", ": eof"),
    ),
    (ImageUnknown, ("manifest unknown", "not found", "name unknown")),
]


def refusal(
    error: Answered, image: str, where: str, *, registry: str = "", user: str = "", push: bool = False
) -> EngineError:
    """The error that says what `image`'s registry meant to the engine at `where`; `error` itself when it was not about a
    registry. `user` is who was logged in, if anybody; `push`: it was to take the image."""
    words = error.detail.lower()
    for kind, some in [*FIRST, *(WITH_LOGIN if user else []), *LAST]:
        if any(part in words for part in some):
            kind = PushRefused if push and kind is RegistryRefused else kind
            more = {"registry": registry, "user": user} if issubclass(kind, RegistryAnswer) else {}
            return kind(error.detail, where=where, image=image, **more)
    return error
