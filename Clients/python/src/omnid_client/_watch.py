"""What a watch knows, and what to do when its stream ends. Without I/O: the sync and the async client share it."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc

from . import errors
from . import management_pb2 as pb

# How long a server that is away is waited for, in seconds: a restart, or an upgrade of its host.
RECONNECT_FOR = 300.0

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0

# The stream was broken off, and another may go on where it ended.
_BROKEN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}

OVER = frozenset({pb.ROTATION_STATE_SUCCEEDED, pb.ROTATION_STATE_ABORTED, pb.ROTATION_STATE_FAILED})

# What a response that tells of changes alone does not set: see `machines_changed_only` in the schema.
_KEPT = ("started_at", "old_ca_fingerprint", "new_ca_fingerprint", "reason", "requester", "component", "cause")


def merged(known: pb.RotationStatus, change: pb.RotationStatus) -> pb.RotationStatus:
    """The status after a response whose `machines_changed_only` is set."""
    status = pb.RotationStatus()
    status.CopyFrom(change)
    for name in _KEPT:
        if name == "started_at":
            if known.HasField("started_at"):
                status.started_at.CopyFrom(known.started_at)
        else:
            setattr(status, name, getattr(known, name))
    del status.notes[:]
    status.notes.extend(known.notes)
    changed = {machine.machine: machine for machine in change.machines}
    del status.machines[:]
    status.machines.extend(changed.get(machine.machine, machine) for machine in known.machines)
    return status


class WatchState:
    """The newest status of each cluster, the revision to go on from, and the attempts to connect again."""

    def __init__(self, cluster: str, after_revision: int, stop_when_idle: bool, reconnect_for: float | None,
                 timeout: float | None = None, clock: Callable[[], float] = time.monotonic):
        self._cluster = cluster
        self._revision = after_revision
        self._stop_when_idle = stop_when_idle
        self._reconnect_for = reconnect_for
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._known: dict[str, pb.RotationStatus] = {}
        self._connected = False
        self._starts_over = False
        self._lost_at: float | None = None
        self._delay = _FIRST_DELAY

    def request(self) -> pb.WatchRotationStatusRequest:
        return pb.WatchRotationStatusRequest(
            cluster=self._cluster, after_revision=0 if self._starts_over else self._revision,
            stop_when_idle=self._stop_when_idle, changes_only=True)

    def take(self, response: pb.WatchRotationStatusResponse) -> pb.RotationStatus | None:
        """The whole status that a response brings; None when it brings nothing new."""
        status = response.status
        known = self._known.get(status.cluster)
        if response.machines_changed_only:
            if known is None:
                raise errors.InternalError(
                    grpc.StatusCode.INTERNAL,
                    f"the server sent changes of cluster {status.cluster} before its first status")
            status = merged(known, status)
        self._connected = True
        self._lost_at = None
        self._delay = _FIRST_DELAY
        # A store that was brought back from a backup counts its revisions from there.
        self._revision = status.revision if self._starts_over else max(self._revision, status.revision)
        self._starts_over = False
        self._known[status.cluster] = status
        return status if status != known else None

    def after(self, error: errors.OmnidError) -> float:
        """How many seconds to wait before the next attempt; raises the error when there is to be none."""
        if (error.code is grpc.StatusCode.INVALID_ARGUMENT and self._known and not self._starts_over
                and any(each.field == "after_revision" for each in error.field_violations)):
            # The server's store is an older one than that which the revision came from.
            self._starts_over = True
            return 0
        if not self._connected or error.code not in _BROKEN:
            raise error
        return self._next_delay(error)

    def after_end(self) -> float | None:
        """The same for a stream that ended without an error; None when that is the end of the watch."""
        if self._stop_when_idle:
            return None
        return self._next_delay(errors.Unavailable(
            grpc.StatusCode.UNAVAILABLE, "the server ended the watch before it was over"))

    def time_left(self) -> float | None:
        """For how many seconds the next stream may last."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def _next_delay(self, error: errors.OmnidError) -> float:
        now = self._clock()
        if self._lost_at is None:
            self._lost_at = now
        if self._reconnect_for is not None and now - self._lost_at >= self._reconnect_for:
            raise error
        delay = self._delay
        self._delay = min(delay * 2, _LONGEST_DELAY)
        left = self.time_left()
        return delay if left is None else min(delay, left)
