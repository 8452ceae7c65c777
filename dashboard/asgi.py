"""HTTP by Django, websockets by Channels; sockets only from our own origin or with an API token."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402  (needs the apps loaded)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from accounts.sockets import TokenOrOrigin, unknown_socket  # noqa: E402
from dashboard.routing import socket_urls  # noqa: E402
from hosts.consumers.lifespan import lifespan  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "lifespan": lifespan,
        "websocket": TokenOrOrigin(AuthMiddlewareStack(URLRouter([*socket_urls, re_path(r"", unknown_socket)]))),
    }
)
