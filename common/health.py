"""/healthz (alive) and /readyz (database, channel layer, broker), without login and without detail."""

import redis
import structlog
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("dermaga.health")


def alive(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when database, channel layer and broker answer; else 503, and the log says which one does not."""
    for name, check in (("database", _database), ("messages", _messages)):
        try:
            check()
        except Exception as error:  # whatever the driver raises: the answer is the same
            log.warning("not ready", part=name, error=type(error).__name__)
            return HttpResponse("not ready", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user LIMIT 1")  # the table: a database without migrations is not ready


def _messages() -> None:
    """Channel layer and broker are the same Redis; in the embedded form both live in this process."""
    if get_channel_layer() is None:
        raise RuntimeError("no channel layer")
    if settings.REDIS_URL:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
