"""HTTP by Django, websockets by Channels; sockets only from our own origin or with an API token. Only TRUSTED_PROXIES say
from where and over what somebody came (X-Forwarded-For, X-Forwarded-Proto): all behind this sees just that."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402  (needs the apps loaded)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402

from accounts.door import Door  # noqa: E402
from accounts.sockets import TokenOrOrigin, unknown_socket  # noqa: E402
from common.bodies import BodyOnDisk  # noqa: E402
from dashboard.routing import socket_urls  # noqa: E402
from hosts.consumers.lifespan import lifespan  # noqa: E402

served = ProtocolTypeRouter(
    {
        "http": Door(BodyOnDisk()),
        "lifespan": lifespan,
        "websocket": TokenOrOrigin(AuthMiddlewareStack(URLRouter([*socket_urls, re_path(r"", unknown_socket)]))),
    }
)
application = ProxyHeadersMiddleware(served, settings.TRUSTED_PROXIES)
