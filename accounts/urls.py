"""The pages of accounts."""

from django.urls import path

from accounts import eyes_views, link_views, provider_views, second_factor_views, session_views, token_views, views

urlpatterns = [
    path("", views.user_list, name="user_list"),
    path("add/", views.user_add, name="user_add"),
    path("invite/", link_views.user_invite, name="user_invite"),
    path("invite/<int:invitation>/take-back/", link_views.invitation_take_back, name="invitation_take_back"),
    path("second-factor/", second_factor_views.second_factor_duty, name="second_factor_duty"),
    path("look/stop/", eyes_views.eyes_stop, name="eyes_stop"),
    path("<int:pk>/look/", eyes_views.eyes_begin, name="eyes_begin"),
    path("<int:pk>/", views.user_edit, name="user_edit"),
    path("<int:pk>/remove/", views.user_remove, name="user_remove"),
    path("<int:pk>/second-factor/remove/", views.user_second_factor_remove, name="user_second_factor_remove"),
    path("<int:pk>/provider/link/", provider_views.user_provider_link, name="user_provider_link"),
    path("<int:pk>/provider/unlink/", provider_views.user_provider_unlink, name="user_provider_unlink"),
    path("<int:pk>/sessions/", session_views.user_sessions, name="user_sessions"),
    path("<int:pk>/sessions/end/", session_views.user_sessions_end, name="user_sessions_end"),
    path("<int:pk>/sessions/<int:session>/end/", session_views.user_session_end, name="user_session_end"),
    path("<int:pk>/tokens/", token_views.user_tokens, name="user_tokens"),
    path("<int:pk>/tokens/add/", token_views.user_token_add, name="user_token_add"),
    path("<int:pk>/tokens/<int:token>/remove/", token_views.user_token_remove, name="user_token_remove"),
]
