"""The testee of protobuf's conformance suite speaks its protocol. With PROTOBUF_CONFORMANCE_RUNNER
set to a conformance_test_runner of the protobuf project, the whole suite is run."""

import os
import struct
import subprocess

import pytest

from processes import program

TESTEE = "conformance-protobuf"
MESSAGE = b"protobuf_test_messages.proto3.TestAllTypesProto3"
BINARY, JSON, TEXT = 1, 2, 4
PARSE_ERROR, BINARY_RESULT, JSON_RESULT, SKIPPED, SERIALIZE_ERROR = 1, 3, 4, 5, 6


def varint(value):
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def block(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def request(payload, output, message=MESSAGE, category=BINARY):
    return payload + bytes([3 << 3, output]) + block(4, message) + bytes([5 << 3, category])


def binary(data):
    return block(1, data)


def json(text):
    return block(2, text.encode())


def ask(*requests):
    """The field number and the content of each response."""
    framed = b"".join(struct.pack("<I", len(data)) + data for data in requests)
    output = subprocess.run(
        [program(TESTEE)], input=framed, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    responses = []
    while output:
        (count,) = struct.unpack_from("<I", output)
        body, output = output[4:4 + count], output[4 + count:]
        length, place, shift = 0, 1, 0
        while True:
            length |= (body[place] & 0x7F) << shift
            shift += 7
            place += 1
            if body[place - 1] < 0x80:
                break
        assert body[0] & 7 == 2 and len(body) == place + length
        responses.append((body[0] >> 3, body[place:]))
    return responses


def test_it_answers_each_request_in_turn():
    responses = ask(
        request(b"", BINARY, b"conformance.FailureSet"),
        request(binary(b"\x08\x07"), JSON),
        request(json('{"optionalInt32": 7, "optionalDuration": "1.5s"}'), BINARY),
        request(binary(b"\x08"), JSON),
        request(json('{"optionalInt32": 1.5}'), BINARY),
        request(json('{"nothing": 1}'), BINARY),
        request(json('{"nothing": 1, "optionalInt32": 1}'), JSON, category=3),
        request(binary(b"\xca\x0c\x06\x08\x80\x80\x80\x80\x10"[:9]), TEXT),
        request(binary(b""), JSON, b"protobuf_test_messages.proto2.TestAllTypesProto2"),
        request(binary(b"\xf2\x12\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10\x01"), JSON))
    assert [number for number, _ in responses] == [
        BINARY_RESULT, JSON_RESULT, BINARY_RESULT, PARSE_ERROR, PARSE_ERROR, PARSE_ERROR, JSON_RESULT,
        SKIPPED, SKIPPED, SERIALIZE_ERROR]
    assert responses[0][1] == b""
    assert responses[1][1] == b'{"optionalInt32":7}'
    assert responses[2][1] == b"\x08\x07\xea\x12\x08\x08\x01\x10\x80\xca\xb5\xee\x01"
    assert responses[6][1] == b'{"optionalInt32":1}'


def test_it_ends_with_its_input():
    assert ask() == []
    half = struct.pack("<I", 100) + b"\x08"
    assert subprocess.run([program(TESTEE)], input=half, stdout=subprocess.PIPE).stdout == b""


@pytest.mark.skipif(
    "PROTOBUF_CONFORMANCE_RUNNER" not in os.environ, reason="no conformance_test_runner given")
def test_it_passes_the_suite(tmp_path):
    runner = os.environ["PROTOBUF_CONFORMANCE_RUNNER"]
    run = subprocess.run(
        [runner, "--enforce_recommended", program(TESTEE)], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout
