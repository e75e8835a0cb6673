"""What a call may end with instead of an answer."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class FieldViolation:
    """What is wrong with a field of the request (google.rpc.BadRequest)."""

    field: str
    """The field's name, as the schema has it."""
    description: str


@dataclass(frozen=True)
class PreconditionViolation:
    """What does not hold and would have to (google.rpc.PreconditionFailure)."""

    type: str
    """One of the words that the schema names, such as ``FOREIGN_CA``."""
    subject: str
    """The machine or the cluster that is meant."""
    description: str


Violation = FieldViolation | PreconditionViolation


class OmnidError(Exception):
    """A call has failed. Each status code has a class of its own."""

    code: grpc.StatusCode
    """The status code of gRPC."""
    message: str
    """What the server, or the connection, says, for people."""
    violations: tuple[Violation, ...]
    """Each thing that stands in the way; empty for most codes."""
    reason: str
    """The reason of google.rpc.ErrorInfo, such as ``CLUSTER_NOT_FOUND``; empty when there is none."""
    retry_after: float | None
    """After how many seconds the server asks to try again; None when the server does not say."""

    def __init__(self, code: grpc.StatusCode, message: str, violations: tuple[Violation, ...] = (),
                 reason: str = "", retry_after: float | None = None):
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.violations = violations
        self.reason = reason
        self.retry_after = retry_after

    @property
    def field_violations(self) -> tuple[FieldViolation, ...]:
        return tuple(each for each in self.violations if isinstance(each, FieldViolation))

    @property
    def precondition_violations(self) -> tuple[PreconditionViolation, ...]:
        return tuple(each for each in self.violations if isinstance(each, PreconditionViolation))


class InvalidArgument(OmnidError):
    """A field is empty or malformed: see ``field_violations``."""


class FailedPrecondition(OmnidError):
    """The state of the cluster does not allow it: see ``precondition_violations``."""


class NotFound(OmnidError):
    """The cluster, the machine or the rotation is not known to this server."""


class AlreadyExists(OmnidError):
    """There is a cluster of this name."""


class PermissionDenied(OmnidError):
    """The caller is known and may not do this."""


class Unauthenticated(OmnidError):
    """The caller is not known."""


class Unavailable(OmnidError):
    """The server cannot be reached or is draining, or a machine that has to answer does not. Try again."""


class DeadlineExceeded(OmnidError):
    """The timeout that the caller has set is over. A call that changes something may have been carried out."""


class Cancelled(OmnidError):
    """The call was cancelled."""


class Aborted(OmnidError):
    """Somebody else has changed the same thing. Try again."""


class OutOfRange(OmnidError):
    """A position is not in the log (any more)."""


class DataLoss(OmnidError):
    """What is stored has been changed by somebody else."""


class ResourceExhausted(OmnidError):
    """A limit of the server was reached, or a message was too large."""


class Unimplemented(OmnidError):
    """The server does not know the method: an older server, or something that is not omnid."""


class InternalError(OmnidError):
    """The server, or what lies between, made a mistake."""


class UnknownError(OmnidError):
    """A status that says nothing more."""


class ConfigError(Exception):
    """The endpoint or the context that the caller has named cannot be used; the text says why."""


class WaitTimeout(TimeoutError):
    """The rotation was not over in time. The rotation goes on."""


_CLASSES: dict[grpc.StatusCode, type[OmnidError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.DATA_LOSS: DataLoss,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.INTERNAL: InternalError,
}


def no_such_rotation(cluster: str, rotation_id: str) -> NotFound:
    what = f"no rotation {rotation_id}" if rotation_id else "had no rotation yet"
    verb = "has " if rotation_id else ""
    return NotFound(grpc.StatusCode.NOT_FOUND, f"cluster {cluster} {verb}{what}", reason="ROTATION_NOT_FOUND")


def from_status(code: grpc.StatusCode, message: str | None,
                trailers: tuple[tuple[str, str | bytes], ...]) -> OmnidError:
    """The exception for a status and the metadata that came with it."""
    violations: list[Violation] = []
    reason = ""
    retry_after: float | None = None
    for packed in _packed(trailers).details:
        bad_request = error_details_pb2.BadRequest()
        failure = error_details_pb2.PreconditionFailure()
        info = error_details_pb2.ErrorInfo()
        retry = error_details_pb2.RetryInfo()
        try:
            if packed.Unpack(bad_request):
                violations += [FieldViolation(each.field, each.description)
                               for each in bad_request.field_violations]
            elif packed.Unpack(failure):
                violations += [PreconditionViolation(each.type, each.subject, each.description)
                               for each in failure.violations]
            elif packed.Unpack(info):
                reason = info.reason
            elif packed.Unpack(retry):
                retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        except DecodeError:
            # The status stands without a detail that cannot be read.
            continue
    return _CLASSES.get(code, UnknownError)(code, message or "", tuple(violations), reason, retry_after)


def _packed(trailers: tuple[tuple[str, str | bytes], ...]) -> status_pb2.Status:
    for key, value in trailers:
        if key == _DETAILS and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()
