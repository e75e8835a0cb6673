"""The interop test cases on grpcio: the independent client of the interop tests.

    grpcio_client.py --port N [--ca FILE] --test_case NAME[,NAME...]
"""

import argparse
import sys
import threading

import grpc

from stubs import load

messages = load("grpc.testing.messages_pb2")
empty = load("grpc.testing.empty_pb2")
services = load("grpc.testing.test_pb2_grpc")

GZIP = grpc.Compression.Gzip
NONE = grpc.Compression.NoCompression
# How long a call may take that should succeed.
PATIENCE = 20


def payload(size):
    return messages.Payload(body=bytes(size))


def simple(**more):
    return messages.SimpleRequest(response_size=314159, payload=payload(271828), **more)


def output(request_size, *sizes):
    return messages.StreamingOutputCallRequest(
        payload=payload(request_size),
        response_parameters=[messages.ResponseParameters(size=size) for size in sizes])


def boolean(value):
    return messages.BoolValue(value=value)


def expect_status(code, call, *arguments, **options):
    try:
        result = call(*arguments, timeout=PATIENCE, **options)
        if hasattr(result, "__next__"):
            list(result)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        return error
    raise AssertionError(f"the call succeeded, where {code} is wanted")


def empty_unary(stub):
    assert stub.EmptyCall(empty.Empty(), timeout=PATIENCE) == empty.Empty()


def large_unary(stub):
    assert stub.UnaryCall(simple(), timeout=PATIENCE).payload.body == bytes(314159)


def cacheable_unary(stub):
    # Without a proxy that caches: the call is served, and its answer may be kept.
    answer, call = stub.CacheableUnaryCall.with_call(
        simple(), timeout=PATIENCE, metadata=(("x-user-ip", "1.2.3.4"),))
    assert int(answer.payload.body) > 0
    assert ("cache-control", "max-age=60, public") in [tuple(m) for m in call.initial_metadata()]


def client_compressed_unary(stub):
    asked = simple(expect_compressed=boolean(True))
    expect_status(grpc.StatusCode.INVALID_ARGUMENT, stub.UnaryCall, asked, compression=NONE)
    answer = stub.UnaryCall(asked, timeout=PATIENCE, compression=GZIP)
    assert answer.payload.body == bytes(314159)
    asked = simple(expect_compressed=boolean(False))
    answer = stub.UnaryCall(asked, timeout=PATIENCE, compression=NONE)
    assert answer.payload.body == bytes(314159)


def server_compressed_unary(stub):
    for wanted in (True, False):
        answer, call = stub.UnaryCall.with_call(
            simple(response_compressed=boolean(wanted)), timeout=PATIENCE)
        assert answer.payload.body == bytes(314159)


def client_streaming(stub):
    sizes = (27182, 8, 1828, 45904)
    answer = stub.StreamingInputCall(
        (messages.StreamingInputCallRequest(payload=payload(size)) for size in sizes),
        timeout=PATIENCE)
    assert answer.aggregated_payload_size == 74922


def client_compressed_streaming(stub):
    def requests(*pairs):
        for size, expected in pairs:
            yield messages.StreamingInputCallRequest(
                payload=payload(size), expect_compressed=boolean(expected))

    expect_status(
        grpc.StatusCode.INVALID_ARGUMENT, stub.StreamingInputCall, requests((27182, True)),
        compression=NONE)
    answer = stub.StreamingInputCall(
        requests((27182, True), (45904, True)), timeout=PATIENCE, compression=GZIP)
    assert answer.aggregated_payload_size == 73086


def server_streaming(stub):
    sizes = (31415, 9, 2653, 58979)
    got = [answer.payload.body for answer in
           stub.StreamingOutputCall(output(0, *sizes), timeout=PATIENCE)]
    assert got == [bytes(size) for size in sizes]


def server_compressed_streaming(stub):
    request = output(0, 31415, 92653)
    request.response_parameters[0].compressed.value = True
    request.response_parameters[1].compressed.value = False
    got = [len(answer.payload.body) for answer in
           stub.StreamingOutputCall(request, timeout=PATIENCE)]
    assert got == [31415, 92653]


class Requests:
    """An iterator whose items are put one at a time."""

    def __init__(self):
        self._condition = threading.Condition()
        self._items = []
        self._closed = False

    def put(self, item):
        with self._condition:
            self._items.append(item)
            self._condition.notify()

    def close(self):
        with self._condition:
            self._closed = True
            self._condition.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self._condition:
            while not self._items and not self._closed:
                self._condition.wait()
            if self._items:
                return self._items.pop(0)
            raise StopIteration


def ping_pong(stub):
    requests = Requests()
    answers = stub.FullDuplexCall(requests, timeout=PATIENCE)
    for asked, wanted in zip((27182, 8, 1828, 45904), (31415, 9, 2653, 58979)):
        requests.put(output(asked, wanted))
        assert next(answers).payload.body == bytes(wanted)
    requests.close()
    assert list(answers) == []


def empty_stream(stub):
    assert list(stub.FullDuplexCall(iter(()), timeout=PATIENCE)) == []


def custom_metadata(stub):
    metadata = (("x-grpc-test-echo-initial", "test_initial_metadata_value"),
                ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))

    def check(call):
        assert metadata[0] in [tuple(m) for m in call.initial_metadata()]
        assert metadata[1] in [tuple(m) for m in call.trailing_metadata()]

    _, call = stub.UnaryCall.with_call(simple(), metadata=metadata, timeout=PATIENCE)
    check(call)
    call = stub.FullDuplexCall(iter((output(271828, 314159),)), metadata=metadata, timeout=PATIENCE)
    assert [len(answer.payload.body) for answer in call] == [314159]
    check(call)


def status_code_and_message(stub):
    status = messages.EchoStatus(code=2, message="test status message")
    for call, request in (
            (stub.UnaryCall, messages.SimpleRequest(response_status=status)),
            (stub.FullDuplexCall,
             iter((messages.StreamingOutputCallRequest(response_status=status),)))):
        error = expect_status(grpc.StatusCode.UNKNOWN, call, request)
        assert error.details() == status.message


def special_status_message(stub):
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    request = messages.SimpleRequest(response_status=messages.EchoStatus(code=2, message=text))
    assert expect_status(grpc.StatusCode.UNKNOWN, stub.UnaryCall, request).details() == text


def unimplemented_method(stub):
    expect_status(grpc.StatusCode.UNIMPLEMENTED, stub.UnimplementedCall, empty.Empty())


def unimplemented_service(stub):
    other = services.UnimplementedServiceStub(stub.channel)
    expect_status(grpc.StatusCode.UNIMPLEMENTED, other.UnimplementedCall, empty.Empty())


def cancel_after_begin(stub):
    requests = Requests()
    call = stub.StreamingInputCall.future(requests, timeout=PATIENCE)
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED
    requests.close()


def cancel_after_first_response(stub):
    requests = Requests()
    call = stub.FullDuplexCall(requests, timeout=PATIENCE)
    requests.put(output(27182, 31415))
    assert len(next(call).payload.body) == 31415
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED
    requests.close()


def timeout_on_sleeping_server(stub):
    requests = Requests()
    requests.put(output(27182))
    call = stub.FullDuplexCall(requests, timeout=0.001)
    try:
        list(call)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error.code()
    else:
        raise AssertionError("the call ended with OK")
    finally:
        requests.close()


CASES = [
    empty_unary, large_unary, cacheable_unary, client_compressed_unary, server_compressed_unary,
    client_streaming, client_compressed_streaming, server_streaming, server_compressed_streaming,
    ping_pong, empty_stream, custom_metadata, status_code_and_message, special_status_message,
    unimplemented_method, unimplemented_service, cancel_after_begin, cancel_after_first_response,
    timeout_on_sleeping_server,
]
NAMES = {case.__name__: case for case in CASES}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca")
    parser.add_argument("--test_case", default="all")
    arguments = parser.parse_args()
    target = f"localhost:{arguments.port}"
    if arguments.ca:
        credentials = grpc.ssl_channel_credentials(open(arguments.ca, "rb").read())
        channel = grpc.secure_channel(target, credentials)
    else:
        channel = grpc.insecure_channel(target)
    stub = services.TestServiceStub(channel)
    stub.channel = channel
    names = list(NAMES) if arguments.test_case == "all" else arguments.test_case.split(",")
    failed = 0
    for name in names:
        try:
            NAMES[name](stub)
            print(f"PASS {name}", flush=True)
        except (AssertionError, grpc.RpcError) as error:
            print(f"FAIL {name}: {error!r}", flush=True)
            failed += 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
