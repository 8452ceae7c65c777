"""The websocket routes of hosts."""

from django.urls import path

from hosts.consumers.changes import ChangesConsumer
from hosts.consumers.log_pages import LogPagesConsumer
from hosts.consumers.log_search import LogSearchConsumer
from hosts.consumers.logs import LogsConsumer
from hosts.consumers.stats import StatsConsumer
from hosts.consumers.terminal import TerminalConsumer

socket_urls = [
    path("ws/changes", ChangesConsumer.as_asgi()),
    path("ws/logs", LogsConsumer.as_asgi()),
    path("ws/logs/pages", LogPagesConsumer.as_asgi()),
    path("ws/logs/search", LogSearchConsumer.as_asgi()),
    path("ws/stats", StatsConsumer.as_asgi()),
    path("ws/terminal", TerminalConsumer.as_asgi()),
]
