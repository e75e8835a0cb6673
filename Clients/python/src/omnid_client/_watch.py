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
_KEPT = ("started_at", "old_ca_fingerprint", "new_ca_fingerprint", "reason", "requester", "component", "cause",
         "retiring_credentials_unlisted")


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
    del status.retiring_credentials[:]
    status.retiring_credentials.extend(known.retiring_credentials)
    changed = {machine.machine: machine for machine in change.machines}
    del status.machines[:]
    status.machines.extend(changed.get(machine.machine, machine) for machine in known.machines)
    return status


class Patience:
    """How long a server that is away is waited for, and with which pauses. It begins with the first answer: a server that
    was never there is told of at once."""

    def __init__(self, reconnect_for: float | None, timeout: float | None, clock: Callable[[], float]):
        self._reconnect_for = reconnect_for
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._answered = False
        self._lost_at: float | None = None
        self._delay = _FIRST_DELAY

    def answered(self) -> None:
        """The server is there."""
        self._answered = True
        self._lost_at = None
        self._delay = _FIRST_DELAY

    def time_left(self) -> float | None:
        """Seconds until the caller's timeout; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def after(self, error: errors.OmnidError) -> float:
        """How many seconds to wait before the next attempt; raises the error when there is to be none."""
        if not self._answered or error.code not in _BROKEN:
            raise error
        now = self._clock()
        if self._lost_at is None:
            self._lost_at = now
        if self._reconnect_for is not None and now - self._lost_at >= self._reconnect_for:
            raise error
        delay = self._delay
        self._delay = min(delay * 2, _LONGEST_DELAY)
        left = self.time_left()
        return delay if left is None else min(delay, left)


class WatchState:
    """The newest status of each cluster, the revision to go on from, and the attempts to connect again."""

    def __init__(self, cluster: str, after_revision: int, stop_when_idle: bool, reconnect_for: float | None,
                 timeout: float | None = None, clock: Callable[[], float] = time.monotonic):
        self._cluster = cluster
        self._revision = after_revision
        self._stop_when_idle = stop_when_idle
        self._patience = Patience(reconnect_for, timeout, clock)
        self._known: dict[str, pb.RotationStatus] = {}
        self._starts_over = False

    def request(self) -> pb.WatchRotationStatusRequest:
        return pb.WatchRotationStatusRequest(
            cluster=self._cluster, after_revision=0 if self._starts_over else self._revision,
            stop_when_idle=self._stop_when_idle, changes_only=True)

    def time_left(self) -> float | None:
        """For how many seconds the next stream may last."""
        return self._patience.time_left()

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
        self._patience.answered()
        # A store that was brought back from a backup counts its revisions from there.
        self._revision = status.revision if self._starts_over else max(self._revision, status.revision)
        self._starts_over = False
        self._known[status.cluster] = status
        return status if status != known else None

    def after(self, error: errors.OmnidError) -> float:
        """How many seconds to wait before the next stream; raises the error when there is to be none."""
        if (error.code is grpc.StatusCode.INVALID_ARGUMENT and self._known and not self._starts_over
                and any(each.field == "after_revision" for each in error.field_violations)):
            # The server's store is an older one than that which the revision came from.
            self._starts_over = True
            return 0
        return self._patience.after(error)

    def after_end(self) -> float | None:
        """The same for a stream that ended without an error; None when that is the end of the watch."""
        if self._stop_when_idle:
            return None
        return self._patience.after(errors.Unavailable(
            grpc.StatusCode.UNAVAILABLE, "the server ended the watch before it was over"))


class WaitState:
    """Which rotation is waited for, and what has been seen of it."""

    def __init__(self, cluster: str, rotation_id: str, timeout: float | None, reconnect_for: float | None,
                 clock: Callable[[], float] = time.monotonic):
        self.cluster = cluster
        self.rotation_id = rotation_id
        self._timeout = timeout
        self._patience = Patience(reconnect_for, timeout, clock)

    def time_left(self) -> float | None:
        return self._patience.time_left()

    def takes(self, status: pb.RotationStatus) -> bool:
        """Whether the status is of the rotation that is waited for; if not, the history has to be asked."""
        self._patience.answered()
        self.rotation_id = self.rotation_id or status.rotation_id
        return status.rotation_id == self.rotation_id and status.rotation_id != ""

    def after(self, error: errors.OmnidError) -> float:
        """How many seconds to wait before the next attempt; raises what the wait ends with when there is to be none."""
        if isinstance(error, errors.DeadlineExceeded) and self.time_left() is not None:
            raise errors.WaitTimeout(
                f"the rotation of cluster {self.cluster} is not over after {self._timeout} s, and goes on") from error
        return self._patience.after(error)

    def ended(self, status: pb.RotationStatus | None) -> pb.RotationStatus | None:
        """How the rotation ended, from the history; None while it has not."""
        if status is None:
            raise errors.no_such_rotation(self.cluster, self.rotation_id)
        self._patience.answered()
        return status if status.state in OVER else None
