"""The websocket routes of hosts."""

from django.urls import path

from hosts.consumers.changes import ChangesConsumer
from hosts.consumers.logs import LogsConsumer

socket_urls = [
    path("ws/changes", ChangesConsumer.as_asgi()),
    path("ws/logs", LogsConsumer.as_asgi()),
]
