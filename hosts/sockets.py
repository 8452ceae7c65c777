"""The websocket routes of hosts."""

from django.urls import path

from hosts.consumers.changes import ChangesConsumer

socket_urls = [
    path("ws/changes", ChangesConsumer.as_asgi()),
]
