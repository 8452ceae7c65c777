"""The pages of teams, roles and grants."""

from django.urls import path

from accounts import team_views

urlpatterns = [
    path("teams/", team_views.team_list, name="team_list"),
    path("teams/add/", team_views.team_add, name="team_add"),
    path("teams/<slug:name>/", team_views.team_page, name="team_page"),
    path("teams/<slug:name>/edit/", team_views.team_edit, name="team_edit"),
    path("teams/<slug:name>/remove/", team_views.team_remove, name="team_remove"),
    path("teams/<slug:name>/members/", team_views.member_set, name="member_set"),
    path("teams/<slug:name>/members/remove/", team_views.member_remove, name="member_remove"),
    path("teams/<slug:name>/grants/", team_views.team_grant, name="team_grant"),
    path("grants/<int:pk>/remove/", team_views.grant_remove, name="grant_remove"),
    path("roles/", team_views.role_list, name="role_list"),
    path("roles/add/", team_views.role_add, name="role_add"),
    path("roles/<slug:name>/", team_views.role_edit, name="role_edit"),
    path("roles/<slug:name>/remove/", team_views.role_remove, name="role_remove"),
    path("users/<int:pk>/access/", team_views.user_access, name="user_access"),
    path("access/", team_views.my_access, name="my_access"),
]
