"""Steps of a login after the first one."""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import stages
from django.conf import settings
from django.http import HttpRequest


class AuthenticateStage(stages.AuthenticateStage):
    """The second factor; not asked for after a provider that counts as one (OIDC_IS_SECOND_FACTOR)."""

    def _should_handle(self, request: HttpRequest) -> bool:
        ways = get_authentication_records(request, self.login.user)
        if settings.OIDC_IS_SECOND_FACTOR and any(way["method"] == "provider" for way in ways):
            return False
        return bool(super()._should_handle(request))
