"""Where an answer's content begins and ends: by length, by chunks, or by the end of the connection."""

import math
from collections.abc import Mapping

SIZE_LINE_AT_MOST = 1024


def content_length(headers: Mapping[str, str], otherwise: int) -> int:
    """The body's length in bytes as the head says it, or `otherwise` when it says none that makes sense."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else otherwise


class Body:
    """The content of one answer, from its bytes as they come."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._chunks = Chunks() if headers.get("transfer-encoding", "").lower() == "chunked" else None
        self._left = content_length(headers, -1)  # -1: until the connection ends
        self.cut = False  # the connection ended before the answer did

    @property
    def whole(self) -> bool:
        """Whether all of it has come, as far as the head tells."""
        return self._chunks.ended if self._chunks is not None else self._left == 0

    @property
    def left(self) -> float:
        """Bytes that are still to come; infinity when the head does not tell."""
        return self._left if self._chunks is None and self._left >= 0 else math.inf

    def feed(self, block: bytes) -> bytes:
        """The content in `block`; b"" for the end of the connection. Raises ValueError for broken chunks."""
        if not block:
            self.cut = self._chunks is not None and not self._chunks.ended or self._left > 0
        if self._chunks is not None:
            return self._chunks.feed(block)
        if self._left >= 0:
            block = block[: self._left]
            self._left -= len(block)
        return block


class Chunks:
    """Takes chunked transfer encoding off. `ended` after the last chunk."""

    def __init__(self) -> None:
        self._data = b""
        self._left = 0  # bytes of the chunk begun that are still to come, with the line end after it
        self.ended = False

    def feed(self, block: bytes) -> bytes:
        """The content in `block`. Raises ValueError for what is no chunk."""
        self._data += block
        out = []
        while self._data and not self.ended:
            if self._left > 2:
                piece = self._data[: self._left - 2]
                out.append(piece)
                self._data = self._data[len(piece) :]
                self._left -= len(piece)
            elif self._left:
                if len(self._data) < self._left:
                    break
                self._data, self._left = self._data[self._left :], 0
            elif b"\r\n" not in self._data:
                if len(self._data) > SIZE_LINE_AT_MOST:
                    raise ValueError("no chunk's size")
                break
            else:
                head, self._data = self._data.split(b"\r\n", 1)
                size = int(head.split(b";")[0], 16)
                if size < 0:
                    raise ValueError("a chunk of less than nothing")
                self._left, self.ended = size + 2, size == 0
        return b"".join(out)
