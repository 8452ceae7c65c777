"""The pages of jobs and schedules."""

from django.urls import path

from jobs.views import jobs, schedules

urlpatterns = [
    path("", jobs.job_list, name="job_list"),
    path("<int:job_id>/", jobs.job_page, name="job_page"),
    path("<int:job_id>/log/", jobs.job_log, name="job_log"),
    path("<int:job_id>/cancel/", jobs.job_cancel, name="job_cancel"),
    path("<int:job_id>/again/", jobs.job_again, name="job_again"),
    path("<int:job_id>/schedule/", schedules.schedule_add, name="schedule_add"),
    path("schedules/", schedules.schedule_list, name="schedule_list"),
    path("schedules/times/", schedules.schedule_times, name="schedule_times"),
    path("schedules/<int:pk>/", schedules.schedule_page, name="schedule_page"),
    path("schedules/<int:pk>/edit/", schedules.schedule_edit, name="schedule_edit"),
    path("schedules/<int:pk>/enable/", schedules.schedule_enable, name="schedule_enable"),
    path("schedules/<int:pk>/disable/", schedules.schedule_disable, name="schedule_disable"),
    path("schedules/<int:pk>/run/", schedules.schedule_run, name="schedule_run"),
    path("schedules/<int:pk>/remove/", schedules.schedule_remove, name="schedule_remove"),
]
