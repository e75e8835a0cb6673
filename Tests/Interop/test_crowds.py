"""More connections and streams than a server has any use for."""

import resource
import time

import pytest

from processes import program, server
from raw_http2 import *

CONNECTIONS = 10_000


@pytest.fixture
def port():
    # The server inherits it; it needs a few descriptors besides its connections.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 200:
        pytest.skip(f"only {hard} descriptors may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with server([program("grpc-interop-server"), "--port", "0"]) as port:
            yield port
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_connections_are_served_and_the_next_is_told_why_not(port):
    before = port.resident_bytes
    peers = []
    try:
        proper = Peer(port)
        peers.append(proper)
        for _ in range(CONNECTIONS - 1):
            peer = Peer(port, handshake=False)
            peers.append(peer)
            peer.send(PREFACE, settings())
        for number, peer in enumerate(peers[1::500]):
            assert peer.is_served()
            assert proper.is_served(2 * number + 1)
        # What one costs: the socket's state, an HTTP/2 session, its tables.
        assert port.resident_bytes - before < CONNECTIONS * 32 << 10
        for _ in range(3):
            with Peer(port, handshake=False) as refused:
                goaway = refused.until(lambda each: isinstance(each, GoAwayFrame))
                assert goaway.error_code == ENHANCE_YOUR_CALM
                assert goaway.additional_data == b"too many connections"
                assert refused.is_closed()
        assert proper.is_served(1001)
    finally:
        for peer in peers:
            peer.socket.close()
    # Their places are free again.
    for _ in range(100):
        with Peer(port, handshake=False) as peer:
            peer.send(PREFACE, settings())
            if not isinstance(peer.receive(), SettingsFrame) or not peer.seen[0].settings:
                time.sleep(0.1)
                continue
            assert peer.is_served()
            return
    raise AssertionError("the server takes no connection any more")


def test_connections_that_say_nothing_cost_next_to_nothing(port):
    with Peer(port) as proper:
        assert proper.is_served(1)
        before = port.resident_bytes
        silent = []
        try:
            for _ in range(2000):
                silent.append(Peer(port, handshake=False))
            assert proper.is_served(3)
            assert port.resident_bytes - before < 2000 * 3 << 10
        finally:
            for peer in silent:
                peer.socket.close()


def test_a_hundred_thousand_streams_opened_and_dropped_cost_nothing(port):
    with Peer(port) as proper:
        assert proper.is_served(1)
        before = port.resident_bytes
        encoder = hpack.Encoder()
        encoder.header_table_size = 0
        block = encoder.encode(CALL)
        streams = [frame(HEADERS, END_HEADERS, 2 * i + 1, block) + reset(2 * i + 1)
                   for i in range(1000)]
        flood = b"".join(streams)
        for number in range(100):
            with Peer(port) as peer:
                try:
                    peer.send(flood)
                except (BrokenPipeError, ConnectionResetError):
                    pass
            assert proper.is_served(2 * number + 3)
        assert port.resident_bytes - before < 32 << 20


def test_dropping_more_at_once_ends_the_connection(port):
    with Peer(port) as peer:
        try:
            for i in range(5000):
                peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, peer.encoder.encode(CALL)),
                          reset(2 * i + 1))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert peer.is_closed()
