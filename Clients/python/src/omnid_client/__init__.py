"""Client of omnid, which rotates the root CAs of Talos Linux and Kubernetes clusters.

`Client` and `AsyncClient` have a method for each call of the API. Its messages and enums are in `pb`.
"""

from . import management_pb2 as pb
from ._config import Connection, Endpoint, TLSEndpoint, UnixEndpoint, parse_endpoint
from ._version import __version__
from ._watch import OVER
from .aio import AsyncClient
from .client import Client
from .errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    ConfigError,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    FieldViolation,
    InternalError,
    InvalidArgument,
    NotFound,
    OmnidError,
    OutOfRange,
    PermissionDenied,
    PreconditionViolation,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UnknownError,
    Violation,
    WaitTimeout,
)

__all__ = [
    "OVER",
    "Aborted",
    "AlreadyExists",
    "AsyncClient",
    "Cancelled",
    "Client",
    "ConfigError",
    "Connection",
    "DataLoss",
    "DeadlineExceeded",
    "Endpoint",
    "FailedPrecondition",
    "FieldViolation",
    "InternalError",
    "InvalidArgument",
    "NotFound",
    "OmnidError",
    "OutOfRange",
    "PermissionDenied",
    "PreconditionViolation",
    "ResourceExhausted",
    "TLSEndpoint",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "UnixEndpoint",
    "UnknownError",
    "Violation",
    "WaitTimeout",
    "__version__",
    "parse_endpoint",
    "pb",
]
