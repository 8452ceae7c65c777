"""The pages of accounts."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.user_list, name="user_list"),
    path("add/", views.user_add, name="user_add"),
    path("<int:pk>/", views.user_edit, name="user_edit"),
    path("<int:pk>/second-factor/remove/", views.user_second_factor_remove, name="user_second_factor_remove"),
]
