"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType

from . import errors
from . import management_pb2 as pb
from ._calls import AsyncCalls
from ._config import Connection
from ._transport import AsyncTransport
from ._watch import OVER, RECONNECT_FOR, WaitState, WatchState
from .client import chosen


class AsyncClient(AsyncCalls):
    """Calls omnid. A client belongs to the event loop that runs when it is made.

    Args:
        endpoint: ``unix:PATH``, an absolute path, ``unix-abstract:NAME`` or ``tls:HOST:PORT``. Without it:
            ``OMNI_ENDPOINT``, else the current context, else the Unix socket on which omnid listens when it is told
            nothing.
        context: the name of a context of the configuration file, which goes before the endpoint of the environment.
        connection: where and who to be, for callers that keep that elsewhere; without `endpoint` and `context`.
    """

    def __init__(self, endpoint: str | None = None, *, context: str | None = None,
                 connection: Connection | None = None):
        self._transport = AsyncTransport(chosen(endpoint, context, connection))

    async def close(self) -> None:
        """Ends the connection, and the calls that use it."""
        await self._transport.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def watch(self, cluster: str = "", *, after_revision: int = 0, stop_when_idle: bool = False,
                    reconnect_for: float | None = RECONNECT_FOR, timeout: float | None = None,
                    ) -> AsyncGenerator[pb.RotationStatus, None]:
        """The status of the cluster's rotation, whole, now and whenever it has changed.

        The watch goes on through restarts of the server, from the last revision that has come. A reader that is slow
        misses statuses in between, and never the newest. Ending the iteration ends the watch.

        Args:
            cluster: the name of the cluster; empty: all clusters, those imported later too.
            after_revision: the last revision that the caller has seen. 0: the first status comes at once.
            stop_when_idle: end once no rotation of what is watched runs.
            reconnect_for: for how many seconds a server that is away is waited for, each time; then the error is
                raised. None: for ever. A first connection that cannot be made is an error at once.
            timeout: seconds until DeadlineExceeded is raised. None: never.

        Raises:
            OmnidError: when the server refuses the watch, or has been away for too long.
        """
        state = WatchState(cluster, after_revision, stop_when_idle, reconnect_for, timeout)
        while True:
            try:
                # Closed, not left to the collector: the stream ends when the iteration does.
                async with aclosing(self._responses(state)) as responses:
                    async for response in responses:
                        status = state.take(response)
                        if status is not None:
                            yield status
                delay = state.after_end()
            except errors.OmnidError as error:
                delay = state.after(error)
            if delay is None:
                return
            await asyncio.sleep(delay)

    async def wait(self, cluster: str, rotation_id: str = "", *, timeout: float | None = None,
                   reconnect_for: float | None = RECONNECT_FOR,
                   on_status: Callable[[pb.RotationStatus], None] | None = None) -> pb.RotationStatus:
        """Waits until a rotation is over, and returns how it ended; SUCCEEDED is not the only way.

        Args:
            cluster: the name of the cluster.
            rotation_id: the rotation; empty: the one that runs, else the last one.
            timeout: seconds; then WaitTimeout is raised and the rotation goes on. None: no limit.
            reconnect_for: see `watch`.
            on_status: called with each status on the way.

        Raises:
            WaitTimeout: the rotation is not over yet.
            NotFound: there is no such cluster or rotation (any more).
        """
        state = WaitState(cluster, rotation_id, timeout, reconnect_for)
        while True:
            try:
                async with aclosing(self.watch(cluster, stop_when_idle=True, timeout=state.time_left(),
                                               reconnect_for=reconnect_for)) as statuses:
                    async for status in statuses:
                        if not state.takes(status):
                            break
                        if on_status is not None:
                            on_status(status)
                        if status.state in OVER:
                            return status
                # Another rotation came after it, or none runs: the history knows.
                ended = state.ended(await self._recorded(cluster, state.rotation_id, state.time_left()))
                if ended is not None:
                    return ended
                delay = 0.1
            except errors.OmnidError as error:
                delay = state.after(error)
            await asyncio.sleep(delay)

    async def _recorded(self, cluster: str, rotation_id: str, timeout: float | None) -> pb.RotationStatus | None:
        token = ""
        while rotation_id:
            page = await self.list_rotations(cluster, page_token=token, timeout=30 if timeout is None else timeout)
            for status in page.rotations:
                if status.rotation_id == rotation_id:
                    return status
            token = page.next_page_token
            if not token:
                break
        return None

    def _responses(self, state: WatchState) -> AsyncGenerator[pb.WatchRotationStatusResponse, None]:
        request = state.request()
        return self.watch_rotation_status(
            request.cluster, after_revision=request.after_revision, stop_when_idle=request.stop_when_idle,
            changes_only=request.changes_only, timeout=state.time_left())
