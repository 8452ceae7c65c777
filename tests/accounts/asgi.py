"""Requests as the server gives them to the application: from an address, with the headers that a proxy or a liar adds."""

from typing import Any

from asgiref.testing import ApplicationCommunicator

from dashboard.asgi import application


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.headers, self.text = status, headers, body.decode()

    @property
    def cookies(self) -> str:
        """As a browser sends them back."""
        set_ones = [value.decode().partition(";")[0] for name, value in self.headers if name.lower() == b"set-cookie"]
        return "; ".join(set_ones)


async def ask(path: str, *, method: str = "GET", client: str = "10.9.9.9", body: bytes = b"", **headers: str) -> Answer:
    """`headers` with _ for -; the Host is localhost."""
    raw = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "scheme": "http", "method": method, "path": path}
    scope |= {"query_string": b"", "headers": raw, "client": (client, 40000), "server": ("localhost", 80)}
    asked = ApplicationCommunicator(application, scope)
    await asked.send_input({"type": "http.request", "body": body})
    start = await asked.receive_output(timeout=30)
    text = b""
    while (part := await asked.receive_output(timeout=30)).get("more_body"):
        text += part["body"]
    await asked.wait(timeout=30)
    return Answer(start["status"], start["headers"], text + part.get("body", b""))
