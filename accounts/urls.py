"""The pages of accounts."""

from django.urls import path

from accounts import session_views, views

urlpatterns = [
    path("", views.user_list, name="user_list"),
    path("add/", views.user_add, name="user_add"),
    path("<int:pk>/", views.user_edit, name="user_edit"),
    path("<int:pk>/second-factor/remove/", views.user_second_factor_remove, name="user_second_factor_remove"),
    path("<int:pk>/sessions/", session_views.user_sessions, name="user_sessions"),
    path("<int:pk>/sessions/end/", session_views.user_sessions_end, name="user_sessions_end"),
    path("<int:pk>/sessions/<int:session>/end/", session_views.user_session_end, name="user_session_end"),
]
