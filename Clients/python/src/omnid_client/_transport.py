"""The channels of grpcio: how an address becomes one, and how its errors become the package's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from . import errors
from ._config import Connection, TLSEndpoint, UnixEndpoint

Answer = TypeVar("Answer", bound=Message)

# A status of a cluster with many machines may be large: omnictl takes as much.
_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", 64 << 20),
    # Connections are this client's own: other ones in the process would share their waits between two attempts.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 2000),
]

# A server that is gone without a word is noticed. omnid allows a ping each 10 s while there is a call.
_KEEPALIVE: list[tuple[str, Any]] = [("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 10_000)]


def _credentials(connection: Connection) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=connection.ca, private_key=connection.key,
        certificate_chain=connection.certificate)


def _options(connection: Connection) -> list[tuple[str, Any]]:
    if isinstance(connection.endpoint, UnixEndpoint):
        return _OPTIONS
    name = connection.server_name
    return _OPTIONS + _KEEPALIVE + ([("grpc.ssl_target_name_override", name)] if name is not None else [])


def _metadata(connection: Connection) -> tuple[tuple[str, str], ...]:
    return () if connection.token is None else (("authorization", f"Bearer {connection.token}"),)


class Transport:
    """A channel; calls end with an answer or with an OmnidError."""

    def __init__(self, connection: Connection):
        self._metadata = _metadata(connection)
        if isinstance(connection.endpoint, TLSEndpoint):
            self._channel = grpc.secure_channel(
                connection.endpoint.target, _credentials(connection), _options(connection))
        else:
            self._channel = grpc.insecure_channel(connection.endpoint.target, _options(connection))

    def close(self) -> None:
        self._channel.close()

    def unary(self, path: str, request: Message, decode: Callable[[bytes], Answer],
              timeout: float | None) -> Answer:
        call: Any = self._channel.unary_unary(path, type(request).SerializeToString, decode)
        try:
            answer: Answer = call(request, timeout=timeout, metadata=self._metadata)
            return answer
        except grpc.RpcError as error:
            raise _translated(error) from error

    def stream(self, path: str, request: Message, decode: Callable[[bytes], Answer],
               timeout: float | None) -> Generator[Answer, None, None]:
        call: Any = self._channel.unary_stream(path, type(request).SerializeToString, decode)
        running = call(request, timeout=timeout, metadata=self._metadata)
        try:
            yield from running
        except grpc.RpcError as error:
            raise _translated(error) from error
        finally:
            running.cancel()


class AsyncTransport:
    """The same for asyncio. It belongs to the event loop that runs when it is made."""

    def __init__(self, connection: Connection):
        self._metadata = _metadata(connection)
        if isinstance(connection.endpoint, TLSEndpoint):
            self._channel = grpc.aio.secure_channel(
                connection.endpoint.target, _credentials(connection), _options(connection))
        else:
            self._channel = grpc.aio.insecure_channel(connection.endpoint.target, _options(connection))

    async def close(self) -> None:
        await self._channel.close()

    async def unary(self, path: str, request: Message, decode: Callable[[bytes], Answer],
                    timeout: float | None) -> Answer:
        call: Any = self._channel.unary_unary(path, type(request).SerializeToString, decode)
        try:
            answer: Answer = await call(request, timeout=timeout, metadata=self._metadata)
            return answer
        except grpc.RpcError as error:
            raise _translated(error) from error

    async def stream(self, path: str, request: Message, decode: Callable[[bytes], Answer],
                     timeout: float | None) -> AsyncGenerator[Answer, None]:
        call: Any = self._channel.unary_stream(path, type(request).SerializeToString, decode)
        running = call(request, timeout=timeout, metadata=self._metadata)
        try:
            async for answer in running:
                yield answer
        except grpc.RpcError as error:
            raise _translated(error) from error
        finally:
            running.cancel()


def _translated(error: grpc.RpcError) -> errors.OmnidError:
    # What grpcio raises is a call, or an AioRpcError: both have these three methods.
    raised: Any = error
    return errors.from_status(raised.code(), raised.details(), tuple(raised.trailing_metadata() or ()))
