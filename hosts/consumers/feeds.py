"""The log of one container or task, followed once however many people watch; it comes back by itself after whatever cut it."""

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Any

import structlog

from hosts.consumers.counts import counts
from hosts.consumers.sweep import Sweep
from hosts.consumers.viewers import Batch, Viewer, lines_message
from hosts.engine.answers import BadRequest, LogDriverUnreadable, NotFound
from hosts.engine.cursors import OVERLAP, Cursor, Mark, Resume
from hosts.engine.errors import ConnectionLost, EngineError, NotAnEngine
from hosts.engine.frames import Line, Splitter, nanoseconds, splitter, stamp_of
from hosts.engine.logs import RESUME_TAIL, LogQuery, open_log, replay, splitter_for, unreadable
from hosts.engine.streams import EngineStream
from hosts.engine.targets import Condition, Target, look, reach, started_again

log = structlog.get_logger("dermaga.streams")
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0  # seconds between two attempts; they double
MUCH = 16 * 1024  # bytes: who brings so much is read again before the next tick, since a UNIX socket holds little more
TASK_FIRST, TASK_LONGEST = 1.0, 15.0  # seconds of silence after which a task is looked at; they double
STABLE = 1.0  # seconds after which a connection was a good one
ON_ITS_WAY = 1.0  # seconds that a line may take from the log to us
PENDING_AT_MOST = 4 * 1024 * 1024  # bytes that wait for a viewer who still reads the past


class Subscription:
    """One viewer of one feed. While `pending` is a list the viewer still reads the past, and what comes waits."""

    def __init__(self, viewer: Viewer, place: int, query: LogQuery) -> None:
        self.viewer = viewer
        self.place = place
        self.query = query
        self.pending: list[Batch] | None = []
        self.overflowed = False
        self._waiting = 0
        self._mark = Mark([])
        self._resume: Resume | None = None
        self._live: dict[str, Any] | None = None  # kept back until it is true of this viewer

    def sees(self, line: Line) -> bool:
        """Whether the viewer asked for this line's stream and time."""
        return self.wants(line) and line[2] >= self.query.since

    def wants(self, line: Line) -> bool:
        """Whether the viewer asked for this line's stream."""
        return self.query.stdout if line[1] == 1 else self.query.stderr

    def take(self, batch: Batch) -> bool:
        """Gets a batch; says whether the viewer has something to flush."""
        if self.pending is None:
            return self._show(batch)
        if self._waiting + batch.size > PENDING_AT_MOST:
            self.overflowed = True
            self.pending.clear()
        elif not self.overflowed:
            self.pending.append(batch)
        self._waiting += batch.size
        return False

    def wait_again(self, cursor: Cursor) -> None:
        """The past is read (again) from now on, when the feed is at `cursor`: what comes meanwhile waits."""
        self.pending, self._waiting, self.overflowed = [], 0, False
        self._mark = cursor.mark()

    def go_live(self, past: Cursor) -> None:
        """The viewer has read the past up to `past`: what came meanwhile and is not in it is shown."""
        if self._live is not None:
            self.viewer.tell(self._live)
        self._resume = past.behind(self._mark, self.sees)
        waiting, self.pending, self._mark = self.pending or [], None, Mark([])
        # the feed may be behind the past that was read: what it brings is compared until it has caught up
        if [batch for batch in waiting if self._show(batch)]:
            self.viewer.flush()

    def _show(self, batch: Batch) -> bool:
        if self._resume is None:
            text, lines = batch.seen(self.place, self.query.stdout, self.query.stderr)
        else:
            lines = self._fresh(batch, self._resume)
            lines = [(self.place, stream, stamp, text) for _, stream, stamp, text in lines]
            text = lines_message(lines) if lines else ""
        if lines:
            self.viewer.offer(text, lines)
        return bool(lines)

    def _fresh(self, batch: Batch, resume: Resume) -> list[Line]:
        lines = [line for line in batch.lines if self.sees(line)]
        if batch.doubtful and lines and lines[0] is batch.lines[0] and lines[0][2] <= resume.newest:
            resume.fresh(lines[:1])  # in the past already; perhaps there with the pieces before it
            lines = lines[1:]
        lines = resume.fresh(lines)
        if resume.done:
            self._resume = None
        return lines

    def tell_gap(self, begin: str, end: str) -> None:
        """The feed found that lines between two timestamps were rotated away: said of those that the viewer lacks too."""
        if self.pending is not None:
            return  # who reads the past finds its own gaps
        if self._resume is not None:
            begin = max(begin, self._resume.newest)  # the past that was read is ahead of the feed
        if begin < end:
            self.tell({"t": "gap", "from": begin, "to": end, "reason": "rotated"})

    def tell(self, message: dict[str, Any]) -> None:
        """Sends the viewer a message about this target; that it is live only when it has read the past."""
        message = {"t": message["t"], "target": self.place, **message}
        if message.get("state") == "live" and self.pending is not None:
            self._live = message
            return
        if message["t"] == "state":
            self._live = None
        self.viewer.tell(message)


class Feed:
    """The one follow stream of a container. `condition`, `state` and `target` are of the last connection."""

    def __init__(self, target: Target, sweep: Sweep, touched: set[Viewer]) -> None:
        self.target = target
        self.subscriptions: set[Subscription] = set()
        self.state: dict[str, Any] = {"t": "state", "state": "connecting"}
        self.condition: Condition | None = None
        self.cursor = Cursor()
        self.ready = asyncio.Event()  # connected now: the past may be read
        self.over = asyncio.Event()  # unreadable or removed: nothing will come any more
        self.heard = self.read = self.checked = time.monotonic()  # when: the engine, this log, whether it grew
        self.reconnects = 0
        self._sweep = sweep
        self._touched = touched
        self._stream: EngineStream | None = None
        self._place = 0
        self._split: Splitter = splitter(False)
        self._resume: Resume | None = None
        self._wide = False  # whether the next resumed stream is asked by time alone
        self._proved = ""  # the newest timestamp when the log was taken up again because lines were repeated
        self._lines = 0  # lines read from the engine so far
        self._from_end = False  # whether the stream began with the last line of the log
        self._past: Cursor | None = None  # how far the first viewer read the past
        self._cut: asyncio.Future[None] | None = None
        self._opened = 0.0  # when the stream was, in this attempt
        self._first_block = asyncio.Event()
        counts.upstreams[target.host, "logs"] += 1
        self._task = asyncio.create_task(self._run(), name=f"log {target.container_id[:12]}")

    # ---------------------------------------------------------------- for the hub
    def close(self) -> None:
        """Ends the stream at once."""
        counts.upstreams[self.target.host, "logs"] -= 1
        self._task.cancel()
        self._drop()

    def cut(self, error: EngineError) -> None:
        """Takes the connection for dead."""
        if self._cut is not None and not self._cut.done():
            self._cut.set_exception(error)

    async def check(self, seconds: float) -> None:
        """Takes the connection for dead when the log has lines that are newer than those that came."""
        self.checked, cut = time.monotonic(), self._cut
        if cut is None or self._stream is None:
            return
        with contextlib.suppress(EngineError, TimeoutError):
            async with asyncio.timeout(seconds):
                newest = await self._newest()
            if newest > self.cursor.newest:
                await asyncio.sleep(ON_ITS_WAY)
            if newest > self.cursor.newest and not cut.done():
                cut.set_exception(ConnectionLost("silent while the log grew", where=self.target.endpoint.address))

    async def settled(self) -> None:
        """Until the follow stream has shown its first line, or there seems to be none: from here on nothing is missed
        that the past does not show."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_block.wait(), 0.3)

    def seed(self, past: Cursor) -> None:
        """A viewer has read the whole past: a stream that is cut before its first line goes on from there."""
        if self._past is None:
            self._past = past

    # ---------------------------------------------------------------- sweep
    def fileno(self) -> int:
        """For Sweep."""
        return self._stream.sock.fileno() if self._stream is not None else -1

    def sweep(self) -> int:
        """For Sweep: reads what is there and hands it out."""
        if self._stream is None or self._cut is None or self._cut.done():
            self._sweep.remove(self)
            return 0
        try:
            data, ended = self._stream.drain()
            if data:
                self.heard = self.read = time.monotonic()
                self._give(self._split.feed(data), len(data))
            if ended:
                self._end()
            return 2 if len(data) >= MUCH else 1 if data else 0
        except EngineError as error:
            self.cut(error)
        except Exception as error:  # one container's strange bytes must not stop the sweep of all others
            log.exception("log not understood", container=self.target.container_id)
            self.cut(ConnectionLost(str(error), where=self.target.endpoint.address))
        return 0

    def _end(self) -> None:
        self._give(self._split.end(), 0)
        if self._cut is not None and not self._cut.done():
            if self._split.error is not None:
                self._cut.set_exception(self._split.error)
            else:
                self._cut.set_result(None)

    def _give(self, lines: list[Line], size: int) -> None:
        if lines and self._resume is not None:
            lines = self._new_lines(lines, self._resume)
        if not lines:
            return
        doubtful = self._lines == 0 and self._from_end
        if doubtful:
            self.cursor.piece = lines[0]
            if self._past is not None and self._past.newest and not self._past.has(lines[0]):
                self.cut(_TooNarrow())  # lines came between the past and this first one
                return
        repeated = self.cursor.repeats(lines, self._proved)
        if repeated is not None:
            lines = lines[:repeated]
            self._proved = max([self.cursor.newest, *(line[2] for line in lines)])
            self.cut(_Repeating())
            if not lines:
                return
        batch = Batch(lines, size, self._place, doubtful=doubtful)
        self._lines += len(lines)
        self.cursor.add(lines, size)
        self._first_block.set()
        for subscription in self.subscriptions:
            if subscription.take(batch):
                self._touched.add(subscription.viewer)

    def _new_lines(self, lines: list[Line], resume: Resume) -> list[Line]:
        lines = resume.fresh(lines)
        if resume.gap and not self._wide:
            self.cut(_TooNarrow())
            return []
        if resume.gap:
            self._tell_gap(resume.newest, resume.first_new)
        if resume.first_new:
            resume.connected = True  # a gap is said once
            self._wide = False
        if resume.done:
            self._resume, self._wide = None, False
        return lines

    def _tell_gap(self, begin: str, end: str) -> None:
        for subscription in self.subscriptions:
            subscription.tell_gap(begin, end)

    # ---------------------------------------------------------------- life
    def _say(self, state: str, **more: Any) -> None:
        message = {"t": "state", "state": state, **more}
        if message != self.state:
            self.state = message
            for subscription in self.subscriptions:
                subscription.tell(message)

    async def _run(self) -> None:
        wait = FIRST_WAIT
        while not self.over.is_set():
            self._opened = 0.0
            try:
                await self._session()
            except LogDriverUnreadable as error:
                self._say("unreadable", code=error.code, reason=str(error))
                self.over.set()
            except NotFound as error:
                self._say("ended", code="removed", reason=str(error))
                self.over.set()
            except _TooNarrow:
                self._wide = True
                self._drop()
                continue
            except _Repeating:
                self._drop()
                await asyncio.sleep(0 if self._was_stable() else FIRST_WAIT)
                continue
            except EngineError as error:
                self._say("lost", code=error.code, reason=str(error))
                if isinstance(error, BadRequest):
                    self.target = replace(self.target, version="")  # another engine version?
            except Exception as error:  # an answer that nobody thought of must not end the watching
                log.exception("log not followed", container=self.target.container_id)
                strange = NotAnEngine(str(error), where=self.target.endpoint.address)
                self._say("lost", code=strange.code, reason=str(strange))
            finally:
                self._drop()
            self.reconnects += 1
            counts.reconnects[self.target.host, "logs"] += 1
            wait = FIRST_WAIT if self._was_stable() else min(wait * 2, LONGEST_WAIT)
            await asyncio.sleep(wait)

    def _was_stable(self) -> bool:
        return bool(self._opened) and time.monotonic() - self._opened > STABLE

    def _drop(self) -> None:
        self.ready.clear()
        if self._stream is not None:
            self._sweep.remove(self)
            self._stream.close()
            self._stream = None

    async def _session(self) -> None:
        """One connection. Steps: 1. look, 2. follow, 3. read until it ends, 4. wait for a stopped container's start."""
        before = self.condition
        self.target, self.condition = await reach(self.target)
        if self.condition.driver == "none":
            raise unreadable(self.target)
        await self._follow()
        if before is not None and before.started != self.condition.started:
            self._say("restarted", started=self.condition.started)
        elif self.state["state"] == "lost":
            self._say("resumed")
        elif before is None and self.condition.running:
            self._say("live")
        self.ready.set()
        await self._read_to_end()
        self._drop()
        now = await look(self.target)
        if not now.running:
            self.condition = now
            self.ready.set()
            reason = f"The container exited with code {now.exit_code}."
            self._say("ended", code="exited", exit_code=now.exit_code, reason=reason)
            if now.late:
                await asyncio.get_running_loop().create_future()  # another task takes its place
            await started_again(self.target, now.started)

    async def _read_to_end(self) -> None:
        """Until the stream ends. That of a task has no end: the task is looked at when it is silent."""
        assert self._cut is not None and self.condition is not None
        if not self.condition.late:
            return await self._cut
        wait = TASK_FIRST
        while not self._cut.done():
            read = self.read
            await asyncio.wait([self._cut], timeout=wait)
            if self.read != read:
                wait = TASK_FIRST
            elif not self._cut.done():
                wait = min(2 * wait, TASK_LONGEST)
                now = await look(self.target)
                if not now.running and await self._newest() <= self.cursor.newest:
                    return None
        return self._cut.result()

    async def _follow(self) -> None:
        assert self.condition is not None
        if not self.cursor.newest and self._past is not None:
            self.cursor = self._past
            for subscription in self.subscriptions:
                subscription.overflowed = True  # who still reads another past reads on to this one
        self._from_end, self._resume = False, None
        if self.cursor.newest:
            wide = self._wide or self.cursor.is_coarse or self.condition.jumps
            query = LogQuery(tail="all" if wide else str(RESUME_TAIL), since=self.cursor.since)
            self._resume = self.cursor.resume()
        elif self._past is not None:
            query = LogQuery()  # the log was empty: everything is new
        elif self.condition.jumps or self.condition.late:
            query = await self._by_time()
        else:
            query, self._from_end = LogQuery(tail="1"), True
        stream = await open_log(self.target, query, follow=True)
        # lines are made with the place that one viewer, mostly the only one, has for this container
        self._place = next((subscription.place for subscription in self.subscriptions), 0)
        self._split = splitter_for(self.target, query, self.condition.tty, self._place)
        self._stream = stream
        self._cut = asyncio.get_running_loop().create_future()
        self.heard = self.read = self._opened = time.monotonic()
        self._sweep.add(self)

    async def _by_time(self) -> LogQuery:
        """What is asked of an engine that cannot follow from the last line without a jump: from moments before it."""
        last = await self._newest()
        return LogQuery(since=stamp_of(max(0, nanoseconds(last) - OVERLAP)) if last else "")

    async def _newest(self) -> str:
        """The timestamp at the end of the log, "" for an empty one. Raises EngineError."""
        assert self.condition is not None
        last = ""
        async for burst in await replay(self.target, LogQuery("1"), self.condition.tty):
            last = max([last, *(line[2] for line in burst.lines)])
        return last


class _TooNarrow(EngineError):
    """The tail of the log does not reach back to what was read before: it is asked for by time alone."""


class _Repeating(EngineError):
    """The stream brought a line for the second time, as Docker 20.10 does when a log is rotated: what is true is found by
    taking the log up again, which drops lines one for one."""
