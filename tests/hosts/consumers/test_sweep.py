"""The loop over followed sockets."""

import asyncio
import socket

from hosts.consumers.sweep import EMPTY_TICKS, TICK, Sweep


class Followed:
    """One end of a pair of sockets, read as a feed reads."""

    def __init__(self) -> None:
        self.sock, self.other = socket.socketpair()
        self.sock.setblocking(False)
        self.seen = b""

    def fileno(self) -> int:
        return self.sock.fileno()

    def sweep(self) -> int:
        try:
            self.seen += self.sock.recv(100)
            return 1
        except BlockingIOError:
            return 0


async def quiet() -> None:
    """Until nothing is ticking any more and readiness is waited for."""
    await asyncio.sleep(TICK * (EMPTY_TICKS + 5))


async def test_it_reads_again_after_silence() -> None:
    sweep, source = Sweep(lambda: None), Followed()
    sweep.add(source)
    await quiet()
    source.other.send(b"hello")
    async with asyncio.timeout(5):
        while source.seen != b"hello":
            await asyncio.sleep(0.01)
    sweep.remove(source)


async def test_a_number_is_free_at_once_for_the_next_socket() -> None:
    """A stream that ends is closed, and the engine is asked again with a socket that gets the same number."""
    sweep, first, second = Sweep(lambda: None), Followed(), Followed()
    sweep.add(first)
    sweep.add(second)
    await quiet()
    number = first.fileno()
    sweep.remove(first)
    first.sock.close()
    with socket.socket() as sock, socket.create_server(("127.0.0.1", 0)) as server:
        assert sock.fileno() == number
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, server.getsockname())
        taken, _ = server.accept()
        taken.send(b"x")
        async with asyncio.timeout(5):
            assert await asyncio.get_running_loop().sock_recv(sock, 1) == b"x"
        taken.close()
    second.other.send(b"still read")
    async with asyncio.timeout(5):
        while second.seen != b"still read":
            await asyncio.sleep(0.01)
    sweep.remove(second)
