"""The pages of hosts and what is on them."""

from django.urls import path

from hosts.views import container_acts, containers, events, frame, hosts, images, logs, networks, overview, volumes

C = "containers/<slug:host>/<str:ref>"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("frame/", frame.frame, name="frame"),
    path("hosts/", hosts.host_list, name="host_list"),
    path("hosts/add/", hosts.host_add, name="host_add"),
    path("hosts/<slug:name>/", hosts.host_page, name="host_page"),
    path("hosts/<slug:name>/edit/", hosts.host_edit, name="host_edit"),
    path("hosts/<slug:name>/enable/", hosts.host_enable, name="host_enable"),
    path("hosts/<slug:name>/disable/", hosts.host_disable, name="host_disable"),
    path("hosts/<slug:name>/remove/", hosts.host_remove, name="host_remove"),
    path("hosts/<slug:name>/test/", hosts.host_test, name="host_test"),
    path("containers/", containers.container_list, name="container_list"),
    path("containers/bulk/<slug:verb>/", container_acts.container_bulk, name="container_bulk"),
    path(f"{C}/", containers.container_page, name="container_page"),
    path(f"{C}/logs/", containers.container_logs, name="container_logs"),
    path(f"{C}/logs/download/", containers.container_logs_download, name="container_logs_download"),
    path(f"{C}/stats/", containers.container_stats, name="container_stats"),
    path(f"{C}/terminal/", containers.container_terminal, name="container_terminal"),
    path(f"{C}/processes/", containers.container_processes, name="container_processes"),
    path(f"{C}/changes/", containers.container_changes, name="container_changes"),
    path(f"{C}/inspect/", containers.container_inspect, name="container_inspect"),
    path(f"{C}/environment/", containers.container_environment, name="container_environment"),
    path(f"{C}/ask/<slug:verb>/", container_acts.container_ask, name="container_ask"),
    path(f"{C}/start/", container_acts.container_start, name="container_start"),
    path(f"{C}/stop/", container_acts.container_stop, name="container_stop"),
    path(f"{C}/restart/", container_acts.container_restart, name="container_restart"),
    path(f"{C}/kill/", container_acts.container_kill, name="container_kill"),
    path(f"{C}/pause/", container_acts.container_pause, name="container_pause"),
    path(f"{C}/unpause/", container_acts.container_unpause, name="container_unpause"),
    path(f"{C}/rename/", container_acts.container_rename, name="container_rename"),
    path(f"{C}/remove/", container_acts.container_remove, name="container_remove"),
    path("logs/", logs.log_page, name="log_page"),
    path("logs/download/", logs.logs_download, name="logs_download"),
    path("logs/choices/", logs.log_choices, name="log_choices"),
    path("images/", images.image_list, name="image_list"),
    path("images/pull/", images.image_pull, name="image_pull"),
    path("images/prune/", images.image_prune, name="image_prune"),
    path("images/<slug:host>/<int:pk>/remove/", images.image_remove, name="image_remove"),
    path("networks/", networks.network_list, name="network_list"),
    path("volumes/", volumes.volume_list, name="volume_list"),
    path("events/", events.event_list, name="event_list"),
]
