"""The programs of the Connect conformance suite.

With CONNECTCONFORMANCE naming the suite's runner, the runner judges both. Always: the programs talk
with each other over every protocol, format, compression and kind of call, described and checked
here the way the runner does it.
"""

import contextlib
import itertools
import os
import struct
import subprocess
import threading

import pytest

from processes import HERE, program, run
from stubs import load

config = load("connectrpc.conformance.v1.config_pb2")
service = load("connectrpc.conformance.v1.service_pb2")
client_compat = load("connectrpc.conformance.v1.client_compat_pb2")
server_compat = load("connectrpc.conformance.v1.server_compat_pb2")

SERVER = "connect-conformance-server"
CLIENT = "connect-conformance-client"
RUNNER = os.environ.get("CONNECTCONFORMANCE")

PROTOCOLS = [config.PROTOCOL_CONNECT, config.PROTOCOL_GRPC, config.PROTOCOL_GRPC_WEB]
CODECS = [config.CODEC_PROTO, config.CODEC_JSON]
COMPRESSIONS = [config.COMPRESSION_IDENTITY, config.COMPRESSION_GZIP, config.COMPRESSION_DEFLATE]


def delimited(message) -> bytes:
    body = message.SerializeToString()
    return struct.pack(">I", len(body)) + body


def read_delimited(stream, kind):
    length, = struct.unpack(">I", stream.read(4))
    return kind.FromString(stream.read(length))


@contextlib.contextmanager
def conformance_server(request):
    process = subprocess.Popen(
        [program(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        process.stdin.write(delimited(request))
        process.stdin.close()
        answer = read_delimited(process.stdout, server_compat.ServerCompatResponse)
        yield answer
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def call(requests) -> dict:
    """What came of each request, by its name."""
    result = subprocess.run(
        [program(CLIENT)], input=b"".join(delimited(request) for request in requests),
        stdout=subprocess.PIPE, timeout=60, check=True)
    answers, rest = {}, result.stdout
    while rest:
        length, = struct.unpack(">I", rest[:4])
        answer = client_compat.ClientCompatResponse.FromString(rest[4:4 + length])
        assert answer.WhichOneof("result") == "response", answer
        answers[answer.test_name] = answer.response
        rest = rest[4 + length:]
    assert set(answers) == {request.test_name for request in requests}
    return answers


def headers(**values):
    return [service.Header(name=name.replace("_", "-"), value=[value])
            for name, value in values.items()]


def request(server, name, method, stream_type, messages, form, **more):
    protocol, codec, compression = form
    made = client_compat.ClientCompatRequest(
        test_name=name, http_version=config.HTTP_VERSION_2, protocol=protocol, codec=codec,
        compression=compression, host=server.host, port=server.port,
        server_tls_cert=server.pem_cert, service="connectrpc.conformance.v1.ConformanceService",
        method=method, stream_type=stream_type, request_headers=headers(x_asked="yes"), **more)
    for message in messages:
        made.request_messages.add().Pack(message)
    return made


def calls(server, form):
    """One call of each kind, and one of each that fails."""
    unary = service.UnaryResponseDefinition(
        response_headers=headers(x_head="a"), response_trailers=headers(x_end="b"),
        response_data=b"data" * 500)
    error = service.UnaryResponseDefinition(
        response_headers=headers(x_head="a"), response_trailers=headers(x_end="b"),
        error=service.Error(code=config.CODE_NOT_FOUND, message="nothing: ☺ 100%"))
    stream = service.StreamResponseDefinition(
        response_headers=headers(x_head="a"), response_trailers=headers(x_end="b"),
        response_data=[b"one", b"two" * 700])
    broken = service.StreamResponseDefinition(
        response_data=[b"one"], error=service.Error(code=config.CODE_ABORTED, message="enough"))
    one, many = config.STREAM_TYPE_UNARY, config.STREAM_TYPE_CLIENT_STREAM
    half, full = (config.STREAM_TYPE_HALF_DUPLEX_BIDI_STREAM,
                  config.STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM)
    down = config.STREAM_TYPE_SERVER_STREAM
    bidi = [service.BidiStreamRequest(response_definition=stream),
            service.BidiStreamRequest(request_data=b"second")]
    duplex = [service.BidiStreamRequest(response_definition=stream, full_duplex=True),
              service.BidiStreamRequest(request_data=b"second", full_duplex=True)]
    slow = service.UnaryResponseDefinition(response_data=b"late", response_delay_ms=5000)
    return [
        request(server, "unary", "Unary", one,
                [service.UnaryRequest(response_definition=unary)], form),
        request(server, "unary error", "Unary", one,
                [service.UnaryRequest(response_definition=error)], form),
        request(server, "get", "IdempotentUnary", one,
                [service.IdempotentUnaryRequest(response_definition=unary)], form,
                use_get_http_method=form[0] == config.PROTOCOL_CONNECT),
        request(server, "unimplemented", "Unimplemented", one,
                [service.UnimplementedRequest()], form),
        request(server, "client stream", "ClientStream", many,
                [service.ClientStreamRequest(response_definition=unary),
                 service.ClientStreamRequest(request_data=b"second")], form),
        request(server, "server stream", "ServerStream", down,
                [service.ServerStreamRequest(response_definition=stream)], form),
        request(server, "broken stream", "ServerStream", down,
                [service.ServerStreamRequest(response_definition=broken)], form),
        request(server, "half duplex", "BidiStream", half, bidi, form),
        request(server, "full duplex", "BidiStream", full, duplex, form),
        request(server, "timeout", "Unary", one,
                [service.UnaryRequest(response_definition=slow)], form, timeout_ms=100),
        request(server, "cancel", "Unary", one,
                [service.UnaryRequest(response_definition=slow)], form,
                cancel=client_compat.ClientCompatRequest.Cancel(after_close_send_ms=50)),
    ]


def pairs(listed):
    return {(each.name, value) for each in listed for value in each.value}


def check(answers, form):
    for name in ("unary", "get", "client stream"):
        answer = answers[name]
        assert not answer.HasField("error"), (name, answer.error)
        assert [payload.data for payload in answer.payloads] == [b"data" * 500], name
    for name in ("server stream", "half duplex", "full duplex"):
        answer = answers[name]
        assert not answer.HasField("error"), (name, answer.error)
        assert [payload.data for payload in answer.payloads] == [b"one", b"two" * 700], name
    for name in ("unary", "get", "client stream", "server stream", "half duplex", "full duplex"):
        assert ("x-head", "a") in pairs(answers[name].response_headers), name
        assert ("x-end", "b") in pairs(answers[name].response_trailers), name
        seen = answers[name].payloads[0].request_info
        assert ("x-asked", "yes") in pairs(seen.request_headers), name
    assert len(answers["client stream"].payloads[0].request_info.requests) == 2
    assert len(answers["half duplex"].payloads[0].request_info.requests) == 2
    assert len(answers["full duplex"].payloads[0].request_info.requests) == 1
    queried = answers["get"].payloads[0].request_info.connect_get_info.query_params
    assert bool(queried) == (form[0] == config.PROTOCOL_CONNECT)

    failed = answers["unary error"]
    assert (failed.error.code, failed.error.message) == (config.CODE_NOT_FOUND, "nothing: ☺ 100%")
    assert [detail.Is(service.ConformancePayload.RequestInfo.DESCRIPTOR)
            for detail in failed.error.details] == [True]
    assert {("x-head", "a"), ("x-end", "b")} <= (
        pairs(failed.response_headers) | pairs(failed.response_trailers))
    assert answers["unimplemented"].error.code == config.CODE_UNIMPLEMENTED
    broken = answers["broken stream"]
    assert [payload.data for payload in broken.payloads] == [b"one"]
    assert (broken.error.code, broken.error.message) == (config.CODE_ABORTED, "enough")
    assert answers["timeout"].error.code == config.CODE_DEADLINE_EXCEEDED
    assert answers["cancel"].error.code == config.CODE_CANCELED


@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "tls"])
def test_the_programs_understand_each_other(tls, certificates):
    wanted = server_compat.ServerCompatRequest(http_version=config.HTTP_VERSION_2, use_tls=tls)
    if tls:
        wanted.server_creds.cert = (certificates / "server.pem").read_bytes()
        wanted.server_creds.key = (certificates / "server.key").read_bytes()
        wanted.client_tls_cert = (certificates / "ca.pem").read_bytes()
    with conformance_server(wanted) as server:
        if tls:
            server.pem_cert = (certificates / "ca.pem").read_bytes()
        for form in itertools.product(PROTOCOLS, CODECS, COMPRESSIONS):
            asked = calls(server, form)
            if tls:
                for each in asked:
                    each.client_tls_creds.cert = (certificates / "client.pem").read_bytes()
                    each.client_tls_creds.key = (certificates / "client.key").read_bytes()
            check(call(asked), form)


def test_a_message_over_the_limit_is_refused():
    wanted = server_compat.ServerCompatRequest(
        http_version=config.HTTP_VERSION_2, message_receive_limit=1000)
    form = (config.PROTOCOL_CONNECT, config.CODEC_PROTO, config.COMPRESSION_GZIP)
    with conformance_server(wanted) as server:
        asked = [request(server, str(size), "Unary", config.STREAM_TYPE_UNARY,
                         [service.UnaryRequest(request_data=bytes(size))], form)
                 for size in (500, 1500)]
        answers = call(asked)
    assert not answers["500"].HasField("error")
    assert answers["1500"].error.code == config.CODE_RESOURCE_EXHAUSTED


@pytest.mark.skipif(RUNNER is None, reason="CONNECTCONFORMANCE names no runner")
@pytest.mark.parametrize("mode", ["server", "client"])
def test_the_suite_finds_no_fault(mode):
    under_test = program(SERVER if mode == "server" else CLIENT)
    run([RUNNER, "--conf", str(HERE / "connect-conformance.yaml"), "--mode", mode, "--",
         under_test], timeout=600)
