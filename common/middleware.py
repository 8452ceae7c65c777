"""Request ids in every log line, and errors turned into answers in one place."""

import gzip
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

from common.error_pages import answer, bad_request, goes_on, path_of, wrong_method
from common.errors import DermagaError, StillRunning

LARGE = 100_000  # bytes
Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("dermaga.http")


class RequestIdMiddleware:
    """Gives each request an id, shown as X-Request-Id and in every log line written while it is handled."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if given.isascii() and given.isalnum() and len(given) <= 64 else uuid.uuid4().hex[:16]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        if response.status_code >= 500:
            log.error("answered", method=request.method, path=path_of(request), status=response.status_code)
        return response


class ErrorMiddleware:
    """Answers our own errors, and a wrong method, as a page, an htmx fragment or problem JSON."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.streaming and not response.content:
            return wrong_method(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, StillRunning):
            return goes_on(request, error)
        return answer(request, error) if isinstance(error, DermagaError) else None


class NulMiddleware:
    """Refuses addresses with a NUL in them: nothing here has one in its name, and PostgreSQL takes none in a text."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request)
        return self.get_response(request)


class PackMiddleware(GZipMiddleware):
    """Pages and their parts travel packed, a tenth of their size; downloads that stream go out as they come. What is
    large is packed quickly: the last tenth of room would take three times as long."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming:
            return response
        if isinstance(response, HttpResponse) and len(response.content) > LARGE and self._may(request, response):
            patch_vary_headers(response, ("Accept-Encoding",))
            response.content = gzip.compress(response.content, compresslevel=1)
            response["Content-Encoding"] = "gzip"
            response["Content-Length"] = str(len(response.content))
            return response
        return super().process_response(request, response)

    @staticmethod
    def _may(request: HttpRequest, response: HttpResponse) -> bool:
        """Only JSON: a page has a token in it, whose length packing must not tell; Django packs these with that in
        mind."""
        is_json = response.get("Content-Type", "").startswith("application/json")
        return (
            is_json
            and "gzip" in request.headers.get("Accept-Encoding", "")
            and not response.has_header("Content-Encoding")
        )
