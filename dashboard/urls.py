"""Every HTTP route of the product, one include a capability."""

from django.urls import include, path
from django.views.i18n import set_language

from accounts import (
    audit_views,
    link_views,
    passkey_views,
    provider_views,
    saved_views,
    second_factor_views,
    session_views,
    token_views,
)
from accounts.guard import guard
from accounts.rights import Right
from api.metrics import metrics
from api.urls import api
from common import health

urlpatterns = [
    path("healthz", guard(Right.PUBLIC)(health.alive), name="healthz"),
    path("readyz", guard(Right.PUBLIC)(health.ready), name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("language/", guard(Right.PUBLIC)(set_language), name="set_language"),
    path("account/sessions/", session_views.own_sessions, name="own_sessions"),
    path("account/sessions/end/", session_views.own_sessions_end, name="own_sessions_end"),
    path("account/sessions/<int:session>/end/", session_views.own_session_end, name="own_session_end"),
    path("account/tokens/", token_views.own_tokens, name="own_tokens"),
    path("account/tokens/add/", token_views.own_token_add, name="own_token_add"),
    path("account/tokens/<int:token>/remove/", token_views.own_token_remove, name="own_token_remove"),
    path("account/forgotten/", link_views.forgotten, name="forgotten"),
    path("account/new-password/<str:link>/", link_views.new_password, name="new_password"),
    path("account/join/<str:link>/", link_views.join, name="join"),
    path("account/provider/", provider_views.provider_login, name="provider_login"),
    path("account/provider/back/", provider_views.provider_back, name="provider_back"),
    path("account/provider/link/", provider_views.provider_link, name="provider_link"),
    path("account/provider/unlink/", provider_views.provider_unlink, name="provider_unlink"),
    # these before allauth's own of the same names
    path("account/2fa/", second_factor_views.second_factors, name="mfa_index"),
    path("account/2fa/webauthn/", passkey_views.passkey_list, name="mfa_list_webauthn"),
    path("account/2fa/webauthn/login/", passkey_views.passkey_login, name="mfa_login_webauthn"),
    path(
        "account/2fa/webauthn/reauthenticate/",
        passkey_views.passkey_reauthenticate,
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/", include("allauth.urls")),
    path("api/v1/", api.urls),
    path("users/", include("accounts.urls")),
    path("", include("accounts.team_urls")),
    path("audit/", audit_views.audit_list, name="audit_list"),
    path("views/", saved_views.view_menu, name="view_menu"),
    path("views/save/", saved_views.view_save, name="view_save"),
    path("views/<int:pk>/remove/", saved_views.view_remove, name="view_remove"),
    path("jobs/", include("jobs.urls")),
    path("", include("hosts.urls")),
]
handler400 = "common.error_pages.bad_request"
handler403 = "common.error_pages.denied"
handler404 = "common.error_pages.not_found"
handler429 = "common.error_pages.too_many"
handler500 = "common.error_pages.broken"
