"""RFC 9113, rule by rule: what a client does wrong, and how the server of the interop programs
answers it. The sections are those of the RFC. h2spec says the same in its own words: with H2SPEC
naming its binary it is run too.

Nothing that h2spec asks for is left out. Where the RFC leaves the choice, the test takes what the
server has chosen: a connection error for what the peer can only have got wrong. Where the server
differs, the test says so.
"""

import os
import struct
import subprocess

import pytest

from processes import program, run, server
from raw_http2 import *

H2SPEC = os.environ.get("H2SPEC")


@pytest.fixture(scope="module", params=["tcp", "unix"])
def port(request, tmp_path_factory):
    """Where the server listens: a port, or a path, where it checks the fields itself."""
    path = str(tmp_path_factory.mktemp("http2") / "s.sock")
    with server([program("grpc-interop-server"), "--port", "0", "--unix", path]) as port:
        yield port if request.param == "tcp" else path


@pytest.fixture
def peer(port):
    with Peer(port) as peer:
        yield peer


@pytest.mark.skipif(H2SPEC is None, reason="H2SPEC names no binary")
@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "tls"])
def test_h2spec_finds_no_fault(tls, certificates):
    flags = ["--use_tls", "--tls_cert_file", str(certificates / "server.pem"),
             "--tls_key_file", str(certificates / "server.key")] if tls else []
    with server([program("grpc-interop-server"), "--port", "0", *flags]) as port:
        output = run([H2SPEC, "-h", "127.0.0.1", "-p", str(port), *(["-t", "-k"] if tls else [])],
                     timeout=120)
    assert " 0 skipped, 0 failed" in output


# Ordinary exchanges


def test_what_is_no_rpc_is_answered_in_words(peer):
    peer.send(peer.head(1))
    fields, body = peer.answer(1)
    assert fields[":status"] == "404" and body.startswith(b"There is no method")


def test_a_request_that_is_refused_is_read_to_its_end_first(peer):
    peer.send(peer.head(1, POST, ends=False), data(1, b"some"))
    assert peer.echo() == b"12345678"
    assert not [each for each in peer.seen if each.stream_id == 1]
    peer.send(data(1, b"more", ends=True))
    fields, body = peer.answer(1)
    assert fields[":status"] == "415" and b"application/grpc" in body


def test_a_refused_request_without_an_end_is_answered_all_the_same(peer):
    peer.send(peer.head(1, POST, ends=False))
    fields, _ = peer.answer(1)
    assert fields[":status"] == "415"
    assert peer.stream_failure(1) == NO_ERROR


def test_a_refused_body_is_taken_up_to_a_limit(peer):
    peer.send(peer.head(1, POST, ends=False))
    sent = 0
    while not [each for each in peer.seen if isinstance(each, HeadersFrame)]:
        peer.send(data(1, bytes(16384)))
        sent += 16384
        # Credit comes back for what was thrown away.
        if sent % 131072 == 0:
            peer.until(lambda each: each.stream_id == 1)
        assert sent < 100 << 20
    assert peer.stream_failure(1) == NO_ERROR
    assert peer.is_served()


def test_an_rpc_of_unknown_format_is_refused_at_once(peer):
    fields = [*CALL[:4], ("content-type", "application/grpc+thrift")]
    peer.send(peer.head(1, fields, ends=False))
    assert peer.answer(1)[0][":status"] == "415"


def test_head_has_no_body(peer):
    peer.send(peer.head(1, [(":method", "HEAD"), *GET[1:]]))
    fields, body = peer.answer(1)
    assert fields[":status"] == "404" and body == b""


def test_trailers_end_a_request(peer):
    peer.send(peer.head(1, POST, ends=False), data(1, b"x"), peer.head(1, [("x-end", "1")]))
    assert peer.answer(1)[0][":status"] == "415"


def test_padding_is_not_part_of_the_body(peer):
    body = bytes(5)
    peer.send(peer.head(1, CALL, ends=False),
              frame(DATA, PADDED | END_STREAM, 1, bytes([3]) + body + bytes(3)))
    assert peer.answer(1)[0]["grpc-status"] == "0"


def test_padding_costs_no_credit_for_ever(peer):
    peer.send(peer.head(1, CALL, ends=False))
    # Four times what a stream may be sent without credit.
    padding = frame(DATA, PADDED, 1, bytes([255]) + bytes(255))
    for _ in range(64):
        peer.send(padding * 64)
    peer.send(data(1, bytes(5), ends=True))
    assert peer.answer(1)[0]["grpc-status"] == "0"


# 3.4 HTTP/2 connection preface


def test_a_wrong_preface_closes_the_connection(port):
    with Peer(port, handshake=False) as peer:
        peer.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", settings())
        assert peer.is_closed()


def test_a_preface_without_settings_is_a_protocol_error(port):
    with Peer(port, handshake=False) as peer:
        peer.send(PREFACE, peer.head(1))
        assert peer.failure() == PROTOCOL_ERROR


# 4.1 Frame format, 4.2 frame size


def test_frames_of_unknown_types_are_ignored(peer):
    peer.send(frame(0x16, 0xff, 0, b"12345678"), frame(0x16, 0, 7, b"1"))
    assert peer.is_served()


def test_unknown_flags_are_ignored(peer):
    peer.send(frame(PING, 0xfe, 0, b"abcdefgh"))
    assert peer.until(lambda each: isinstance(each, PingFrame)).opaque_data == b"abcdefgh"


def test_the_reserved_bit_is_ignored(peer):
    peer.send(frame(PING, 0, 0x80000000, b"abcdefgh"))
    assert peer.until(lambda each: isinstance(each, PingFrame)).opaque_data == b"abcdefgh"


def test_a_frame_of_the_largest_size_is_taken(peer):
    peer.send(peer.head(1, POST, ends=False), data(1, bytes(16384), ends=True))
    assert peer.answer(1)[0][":status"] == "415"


@pytest.mark.parametrize("kind", [DATA, HEADERS], ids=["DATA", "HEADERS"])
def test_a_larger_frame_is_a_frame_size_error(peer, kind):
    peer.send(peer.head(1, POST, ends=False), frame(kind, END_HEADERS, 1, bytes(16385)))
    assert peer.failure() == FRAME_SIZE_ERROR


# 4.3 Header compression


def test_a_broken_header_block_is_a_compression_error(peer):
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\xff\xff\xff\xff\xff"))
    assert peer.failure() == COMPRESSION_ERROR


@pytest.mark.parametrize("between", [
    frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 9)), frame(DATA, 0, 1, b"x"),
    frame(HEADERS, END_HEADERS, 3, b"\x82"), frame(0x16, 0, 1, b"x"), frame(PING, 0, 0, bytes(8)),
], ids=["PRIORITY", "DATA", "HEADERS", "unknown", "PING"])
def test_a_header_block_is_not_interrupted(peer, between):
    peer.send(peer.head(1, POST, flags=0), between)
    assert peer.failure() == PROTOCOL_ERROR


# 5.1 Stream states


@pytest.mark.parametrize("first", [
    data(1, b"x"), reset(1), window_update(1, 100), frame(CONTINUATION, END_HEADERS, 1, b""),
], ids=["DATA", "RST_STREAM", "WINDOW_UPDATE", "CONTINUATION"])
def test_idle_streams_begin_with_headers(peer, first):
    peer.send(first)
    assert peer.failure() == PROTOCOL_ERROR


def test_priority_is_taken_on_idle_streams(peer):
    peer.send(frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 9)))
    assert peer.is_served()


def test_nothing_but_control_frames_comes_after_the_end_of_a_request(port):
    for late in (lambda peer: data(1, b"x", ends=True), lambda peer: peer.head(1)):
        # Without credit the answer cannot end the stream.
        with Peer(port, initial_window_size=0) as peer:
            peer.send(peer.head(1), late(peer))
            assert peer.failure() == STREAM_CLOSED


def test_control_frames_are_taken_after_the_end_of_a_request(port):
    with Peer(port, initial_window_size=0) as peer:
        peer.send(peer.head(1), frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 9)),
                  window_update(1, 1))
        assert len(peer.data_frame(1).data) == 1
        peer.send(reset(1), settings(initial_window_size=100))
        assert peer.is_served()


@pytest.mark.parametrize("kind", ["DATA", "HEADERS"])
def test_what_follows_ones_own_reset_is_an_error_of_the_stream_alone(peer, kind):
    """5.1, closed. Netty sends DATA there when a call's deadline passes while its request is being sent."""
    peer.send(peer.head(1, CALL, ends=False), reset(1), data(1, b"x") if kind == "DATA" else peer.head(1))
    assert peer.stream_failure(1) == STREAM_CLOSED
    assert peer.is_served()


def test_continuation_after_ones_own_reset_is_a_connection_error(peer):
    peer.send(peer.head(1, CALL, ends=False), reset(1), frame(CONTINUATION, END_HEADERS, 1, b""))
    assert peer.failure() == PROTOCOL_ERROR


@pytest.mark.parametrize("kind", ["DATA", "HEADERS", "CONTINUATION"])
def test_nothing_comes_on_a_stream_that_both_have_ended(peer, kind):
    peer.send(peer.head(1))
    peer.answer(1)
    peer.send({"DATA": data(1, b"x"), "HEADERS": peer.head(1),
               "CONTINUATION": frame(CONTINUATION, END_HEADERS, 1, b"")}[kind])
    assert peer.failure() == (PROTOCOL_ERROR if kind == "CONTINUATION" else STREAM_CLOSED)


def test_what_crosses_the_reset_of_the_server_is_ignored(peer):
    # A call that is refused while its client is still sending.
    for stream in (1, 3, 5):
        peer.send(peer.head(stream, [*CALL[:2], (":path", "/no/such"), *CALL[3:]], ends=False))
        assert peer.stream_failure(stream) == NO_ERROR
        peer.send(data(stream, b"late"), data(stream, b"", ends=True))
    assert peer.is_served()


# 5.1.1 Stream identifiers, 5.1.2 concurrency


def test_a_client_does_not_use_even_numbers(peer):
    peer.send(peer.head(2))
    assert peer.failure() == PROTOCOL_ERROR


def test_numbers_only_rise(peer):
    peer.send(peer.head(5), peer.head(3))
    assert peer.failure() == PROTOCOL_ERROR


def test_streams_over_the_limit_are_an_error(port):
    with Peer(port, initial_window_size=0) as peer:
        announced = next(each for each in peer.seen if isinstance(each, SettingsFrame)).settings
        limit = announced[MAX_CONCURRENT_STREAMS]
        for i in range(limit + 1):
            peer.send(peer.head(2 * i + 1))
        assert peer.failure() == PROTOCOL_ERROR


# 6.1 DATA, 6.2 HEADERS


@pytest.mark.parametrize("kind", [DATA, HEADERS, PRIORITY, RST_STREAM, CONTINUATION],
                         ids=["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "CONTINUATION"])
def test_frames_of_streams_do_not_come_on_stream_0(peer, kind):
    payload = {PRIORITY: bytes(5), RST_STREAM: bytes(4)}.get(kind, b"")
    peer.send(frame(kind, END_HEADERS if kind in (HEADERS, CONTINUATION) else 0, 0, payload))
    assert peer.failure() == PROTOCOL_ERROR


@pytest.mark.parametrize("fields", [POST, CALL], ids=["refused", "call"])
def test_data_padded_beyond_its_length_is_a_protocol_error(peer, fields):
    peer.send(peer.head(1, fields, ends=False), frame(DATA, PADDED | END_STREAM, 1, b"\x06Test"))
    assert peer.failure() == PROTOCOL_ERROR


def test_headers_padded_beyond_their_length_are_a_protocol_error(peer):
    peer.send(frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\x06\x82\x86\x84"))
    assert peer.failure() == PROTOCOL_ERROR


def test_headers_may_be_padded_and_have_a_priority(peer):
    block = peer.encoder.encode(GET)
    peer.send(frame(HEADERS, PADDED | HAS_PRIORITY | END_HEADERS | END_STREAM, 1,
                    b"\x04" + struct.pack(">IB", 0, 1) + block + bytes(4)))
    assert peer.answer(1)[0][":status"] == "404"


# 6.3 PRIORITY, 6.4 RST_STREAM


def test_a_stream_does_not_depend_on_itself(peer):
    block = peer.encoder.encode(GET)
    peer.send(frame(HEADERS, HAS_PRIORITY | END_HEADERS | END_STREAM, 1,
                    struct.pack(">IB", 1, 1) + block))
    assert peer.failure() == PROTOCOL_ERROR


@pytest.mark.parametrize("wrong", [
    frame(PRIORITY, 0, 1, bytes(4)), frame(RST_STREAM, 0, 1, bytes(3)),
    frame(SETTINGS, 0, 0, bytes(3)), frame(SETTINGS, ACK, 0, bytes(6)),
    frame(PING, 0, 0, bytes(6)), frame(WINDOW_UPDATE, 0, 0, bytes(3)),
], ids=["PRIORITY", "RST_STREAM", "SETTINGS", "SETTINGS ACK", "PING", "WINDOW_UPDATE"])
def test_a_frame_of_the_wrong_length_is_a_frame_size_error(peer, wrong):
    peer.send(peer.head(1, CALL, ends=False), wrong)
    assert peer.failure() == FRAME_SIZE_ERROR


# 6.5 SETTINGS


@pytest.mark.parametrize("kind, payload", [
    (SETTINGS, bytes(6)), (PING, bytes(8)), (GOAWAY, bytes(8))], ids=["SETTINGS", "PING", "GOAWAY"])
def test_frames_of_connections_come_on_stream_0(peer, kind, payload):
    peer.send(peer.head(1, CALL, ends=False), frame(kind, 0, 1, payload))
    assert peer.failure() == PROTOCOL_ERROR


@pytest.mark.parametrize("name, value, code", [
    ("enable_push", 2, PROTOCOL_ERROR), ("initial_window_size", 2**31, FLOW_CONTROL_ERROR),
    ("max_frame_size", 16383, PROTOCOL_ERROR), ("max_frame_size", 2**24, PROTOCOL_ERROR)])
def test_settings_keep_to_their_ranges(peer, name, value, code):
    peer.send(settings(**{name: value}))
    assert peer.failure() == code


def test_unknown_settings_are_ignored(peer):
    peer.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 0xff, 1)))
    assert peer.is_served()


def test_settings_are_acknowledged(peer):
    peer.send(settings(initial_window_size=1000), settings(max_frame_size=20000))
    for _ in range(2):
        peer.until(lambda each: isinstance(each, SettingsFrame) and "ACK" in each.flags)


def test_of_several_values_the_last_holds(peer):
    peer.send(frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, 100, 4, 1)), peer.head(1))
    assert len(peer.data_frame(1).data) == 1


# 6.7 PING, 6.8 GOAWAY


def test_pings_are_answered_with_what_they_held(peer):
    assert peer.echo(b"\x00\xff345678") == b"\x00\xff345678"


def test_answers_to_pings_are_not_answered(peer):
    peer.send(frame(PING, ACK, 0, b"unasked."))
    assert peer.echo(b"asked...") == b"asked..."


def test_a_client_that_says_goaway_is_served_to_the_end_of_its_calls(peer):
    peer.send(peer.head(1, CALL, ends=False), frame(GOAWAY, 0, 0, bytes(8)))
    peer.send(data(1, bytes(5), ends=True))
    assert peer.answer(1)[0]["grpc-status"] == "0"


# 6.9 WINDOW_UPDATE and flow control


@pytest.mark.parametrize("stream", [0, 1])
def test_credit_of_nothing_is_a_protocol_error(peer, stream):
    peer.send(peer.head(1, CALL, ends=False), window_update(stream, 0))
    assert peer.failure() == PROTOCOL_ERROR


def test_no_more_is_sent_than_there_is_credit_for(port):
    with Peer(port, initial_window_size=1) as peer:
        peer.send(peer.head(1))
        assert len(peer.data_frame(1).data) == 1
        peer.send(window_update(1, 4))
        assert len(peer.data_frame(1).data) == 4


def test_a_window_that_overflows_ends_its_stream(peer):
    peer.send(peer.head(1, CALL, ends=False), window_update(1, LARGEST_WINDOW),
              window_update(1, LARGEST_WINDOW))
    assert peer.stream_failure(1) == FLOW_CONTROL_ERROR
    assert peer.is_served()


def test_the_connections_window_does_not_overflow(peer):
    peer.send(window_update(0, LARGEST_WINDOW), window_update(0, LARGEST_WINDOW))
    assert peer.failure() == FLOW_CONTROL_ERROR


def test_settings_change_the_windows_of_open_streams(port):
    with Peer(port, initial_window_size=0) as peer:
        peer.send(peer.head(1), settings(initial_window_size=1))
        assert len(peer.data_frame(1).data) == 1


def test_a_window_may_become_negative(port):
    with Peer(port, initial_window_size=3) as peer:
        peer.send(peer.head(1))
        assert len(peer.data_frame(1).data) == 3
        # Now it is 3 below nothing, and then one above.
        peer.send(settings(initial_window_size=0), window_update(1, 4))
        assert len(peer.data_frame(1).data) == 1


def test_settings_that_overflow_a_window_end_its_stream(port):
    """The RFC has the connection end (6.9.2): nghttp2 ends the stream alone, which is where the
    mistake does harm."""
    with Peer(port, initial_window_size=0) as peer:
        peer.send(peer.head(1, CALL, ends=False), window_update(1, LARGEST_WINDOW),
                  settings(initial_window_size=1))
        assert peer.stream_failure(1) == FLOW_CONTROL_ERROR


# 6.6 PUSH_PROMISE, 6.10 CONTINUATION


def test_clients_do_not_push(peer):
    peer.send(peer.head(1, CALL, ends=False),
              frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 3) + peer.encoder.encode(GET)))
    assert peer.failure() == PROTOCOL_ERROR


def test_a_header_block_may_be_cut_into_pieces(peer):
    block = peer.encoder.encode(GET)
    peer.send(frame(HEADERS, END_STREAM, 1, block[:1]), frame(CONTINUATION, 0, 1, block[1:2]),
              frame(CONTINUATION, END_HEADERS, 1, block[2:]))
    assert peer.answer(1)[0][":status"] == "404"


def test_nothing_is_continued_after_its_end(peer):
    peer.send(peer.head(1, CALL, ends=False), frame(CONTINUATION, END_HEADERS, 1, b"\x82"))
    assert peer.failure() == PROTOCOL_ERROR


def test_a_block_is_continued_on_its_own_stream(peer):
    peer.send(peer.head(1, flags=0), frame(CONTINUATION, END_HEADERS, 3, b""))
    assert peer.failure() == PROTOCOL_ERROR
