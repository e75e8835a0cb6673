"""RFC 9113 section 8, requests as HTTP wants them, and RFC 7541, header compression."""

import pytest

from processes import program, server
from raw_http2 import *


@pytest.fixture(scope="module")
def port():
    with server([program("grpc-interop-server"), "--port", "0"]) as port:
        yield port


@pytest.fixture
def peer(port):
    with Peer(port) as peer:
        yield peer


def without(name):
    return [field for field in CALL if field[0] != name]


def changed(name, value):
    return [(each, value if each == name else old) for each, old in CALL]


MALFORMED = {
    "a name in upper case": [*CALL, ("X-Upper", "1")],
    "an unknown pseudo-header field": [(":test", "1"), *CALL],
    "a response's pseudo-header field": [(":status", "200"), *CALL],
    "a pseudo-header field behind others": [("x-first", "1"), *CALL],
    "no method": without(":method"),
    "no scheme": without(":scheme"),
    "no path": without(":path"),
    "an empty path": changed(":path", ""),
    "two methods": [CALL[0], *CALL],
    "two schemes": [CALL[1], *CALL],
    "two paths": [CALL[2], *CALL],
    "a connection field": [*CALL, ("connection", "keep-alive")],
    "a transfer-encoding": [*CALL, ("transfer-encoding", "chunked")],
    "te for more than trailers": changed("te", "trailers, deflate"),
    "a line break in a value": [*CALL, ("x-value", "a\r\nb: c")],
    "a null in a name": [*CALL, ("x\0y", "1")],
    "a path without a slash": changed(":path", "grpc"),
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_ends_its_stream(peer, fields):
    peer.send(peer.head(1, fields))
    assert peer.stream_failure(1) == PROTOCOL_ERROR
    assert peer.is_served()


@pytest.mark.parametrize("fields", [POST, CALL], ids=["refused", "call"])
def test_a_second_head_that_does_not_end_the_request_is_malformed(peer, fields):
    peer.send(peer.head(1, fields, ends=False), data(1, bytes(5)),
              peer.head(1, [("x-test", "1")], ends=False))
    assert peer.stream_failure(1) == PROTOCOL_ERROR


@pytest.mark.parametrize("fields", [POST, CALL], ids=["refused", "call"])
def test_pseudo_header_fields_in_trailers_are_malformed(peer, fields):
    peer.send(peer.head(1, fields, ends=False), data(1, bytes(5)), peer.head(1, [(":path", "/")]))
    assert peer.stream_failure(1) == PROTOCOL_ERROR


@pytest.mark.parametrize("length", ["1", "9", "x", "-1"])
def test_a_body_is_as_long_as_the_request_said(peer, length):
    peer.send(peer.head(1, [*POST, ("content-length", length)], ends=False), data(1, b"ab"),
              data(1, b"cd", ends=True))
    assert peer.stream_failure(1) == PROTOCOL_ERROR
    assert peer.is_served()


# RFC 7541


TOO_LARGE = b"\x3f\xe2\x1f"
COMPRESSION_FAULTS = {
    "index 0": b"\x80",
    "an index behind the tables": b"\xff\x80\x80\x01",
    "an index without an end": b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "a literal's name behind the tables": b"\x7f\xff\x01\x01x",
    "Huffman padding of 8 bits": b"\x00\x01x\x84\x49\x50\x9f\xff",
    "Huffman padding with zeros": b"\x00\x01x\x83\x49\x50\x90",
    "Huffman's end of string": b"\x00\x84\xff\xff\xff\xff\x01x",
    "a table larger than allowed": TOO_LARGE,
    "a change of the table behind fields": b"\x20",
    "a string longer than the block": b"\x00\x7f\xff\x01abc",
}


@pytest.mark.parametrize("fault", COMPRESSION_FAULTS.values(), ids=COMPRESSION_FAULTS.keys())
def test_a_fault_of_compression_ends_the_connection(peer, fault):
    # A change of the table comes first: alone it would be the fault of its place.
    fields = peer.encoder.encode(GET)
    block = fault + fields if fault == TOO_LARGE else fields + fault
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))
    assert peer.failure() == COMPRESSION_ERROR


def test_the_table_may_be_emptied_and_filled_again(peer):
    for stream in range(1, 41, 2):
        peer.encoder.header_table_size = 0 if stream % 4 == 1 else 4096
        peer.send(peer.head(stream, [*CALL, ("x-number", str(stream))], ends=False),
                  data(stream, bytes(5), ends=True))
        assert peer.answer(stream)[0]["grpc-status"] == "0"


def test_a_header_block_that_is_refused_still_changes_the_table(peer):
    # Both ends keep the same table although the first request is malformed and the second late.
    peer.send(peer.head(1, [*CALL, ("X-Upper", "1"), ("x-kept", "k")]))
    assert peer.stream_failure(1) == PROTOCOL_ERROR
    peer.send(peer.head(3, [*CALL, ("x-kept", "k")], ends=False), data(3, bytes(5), ends=True))
    assert peer.answer(3)[0]["grpc-status"] == "0"
