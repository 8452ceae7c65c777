"""The pages of jobs."""

from django.urls import path

from jobs import views

urlpatterns = [
    path("", views.job_list, name="job_list"),
    path("<int:job_id>/", views.job_page, name="job_page"),
    path("<int:job_id>/log/", views.job_log, name="job_log"),
    path("<int:job_id>/cancel/", views.job_cancel, name="job_cancel"),
    path("<int:job_id>/again/", views.job_again, name="job_again"),
]
