"""A client that sends whatever frames it is told to, and says what came back."""

import socket
import struct
import time

import hpack
from hyperframe.frame import (
    DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR,
 ENHANCE_YOUR_CALM) = range(12)
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, \
    MAX_HEADER_LIST_SIZE = range(1, 7)
LARGEST_WINDOW = 2**31 - 1

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")]
POST = [(":method", "POST"), *GET[1:]]
CALL = [(":method", "POST"), (":scheme", "http"),
        (":path", "/grpc.testing.TestService/EmptyCall"), (":authority", "x"),
        ("content-type", "application/grpc"), ("te", "trailers")]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
            + struct.pack(">I", stream) + payload)


def settings(**values) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(
        struct.pack(">HI", globals()[name.upper()], value) for name, value in values.items()))


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def data(stream: int, payload: bytes = b"", ends: bool = False) -> bytes:
    return frame(DATA, END_STREAM if ends else 0, stream, payload)


class Peer:
    """One connection. Use it as a context manager."""

    def __init__(self, port: int | str, handshake: bool = True, **announced):
        """To a port on loopback, or to the path of a Unix socket."""
        if isinstance(port, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            self.socket.connect(port)
        else:
            self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.unread, self.seen = b"", []
        if handshake:
            self.send(PREFACE, settings(**announced))
            self.until(lambda each: isinstance(each, SettingsFrame) and "ACK" not in each.flags)
            self.send(frame(SETTINGS, ACK, 0))
            self.until(lambda each: isinstance(each, SettingsFrame) and "ACK" in each.flags)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, *frames: bytes):
        self.socket.sendall(b"".join(frames))

    def head(self, stream: int, fields=None, ends: bool = True, flags: int = END_HEADERS) -> bytes:
        block = self.encoder.encode(GET if fields is None else fields)
        return frame(HEADERS, flags | (END_STREAM if ends else 0), stream, block)

    def receive(self):
        """The next frame; None when the server has closed the connection."""
        while True:
            if len(self.unread) >= 9:
                made, length = Frame.parse_frame_header(memoryview(self.unread[:9]))
                if len(self.unread) >= 9 + length:
                    made.parse_body(memoryview(self.unread[9:9 + length]))
                    self.unread = self.unread[9 + length:]
                    self.seen.append(made)
                    if isinstance(made, HeadersFrame):
                        made.fields = self.decoder.decode(made.data)
                    return made
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            self.unread += more

    def until(self, wanted):
        """Reads up to the frame that is wanted; fails when the connection ends before it."""
        while (each := self.receive()) is not None:
            if wanted(each):
                return each
        raise AssertionError(f"the connection ended after {self.seen}")

    def failure(self) -> int:
        """The error code of the GOAWAY that the server ends the connection with."""
        code = self.until(lambda each: isinstance(each, GoAwayFrame)).error_code
        while self.receive() is not None:
            pass
        return code

    def stream_failure(self, stream: int) -> int:
        """The error code of the server's RST_STREAM."""
        return self.until(
            lambda each: isinstance(each, RstStreamFrame) and each.stream_id == stream).error_code

    def data_frame(self, stream: int) -> DataFrame:
        return self.until(lambda each: isinstance(each, DataFrame) and each.stream_id == stream)

    def answer(self, stream: int):
        """The fields of a response's head and trailers, and its body."""
        fields, body = {}, b""
        while True:
            each = self.until(lambda each: each.stream_id == stream)
            assert not isinstance(each, RstStreamFrame), f"reset: {each}"
            if isinstance(each, HeadersFrame):
                fields.update(each.fields)
            elif isinstance(each, DataFrame):
                body += each.data
            if "END_STREAM" in each.flags:
                return fields, body

    def is_served(self, stream: int = 101) -> bool:
        """Whether a call works on this connection."""
        self.send(self.head(stream, CALL, ends=False), data(stream, bytes(5), ends=True))
        return self.answer(stream)[0].get("grpc-status") == "0"

    def echo(self, payload: bytes = b"12345678") -> bytes:
        """What an answered PING brings back."""
        self.send(frame(PING, 0, 0, payload))
        return self.until(lambda each: isinstance(each, PingFrame)).opaque_data

    def is_closed(self, within: float = 10) -> bool:
        """Whether the server ends the connection in that time, whatever it says first."""
        end = time.monotonic() + within
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if self.receive() is None:
                    return True
            except TimeoutError:
                return False
        return False
