"""gRPC's interoperability tests: our programs against grpcio and C++ gRPC, each way, with and
without TLS. The cases are those of the gRPC interop document, by their official names."""

import os
import re
import subprocess

import grpc
import pytest

import grpcio_client
from processes import HERE, PEERS, program, python, run, server

SERVER = "grpc-interop-server"
CLIENT = "grpc-interop-client"

# What a client can see of the standard test service of every peer.
CASES = [case.__name__ for case in grpcio_client.CASES]
OURS = [case for case in CASES if case != "cacheable_unary"]
# Neither grpcio's server nor a synchronous C++ one can tell whether a request was compressed.
UNSEEN_BY_PEERS = {"client_compressed_unary", "client_compressed_streaming"}
SECURITY = pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "tls"])


def server_flags(tls, certificates):
    if not tls:
        return ["--port", "0"]
    return ["--port", "0", "--use_tls", "--tls_cert_file", str(certificates / "server.pem"),
            "--tls_key_file", str(certificates / "server.key")]


def client_flags(port, tls, certificates):
    flags = ["--server_host", "localhost", "--server_port", str(port)]
    return flags + ["--use_tls", "--ca_file", str(certificates / "ca.pem")] if tls else flags


def passed(output: str) -> list[str]:
    return re.findall(r"^PASS (\S+)$", output, re.MULTILINE)


@SECURITY
def test_our_client_against_our_server(tls, certificates):
    with server([program(SERVER), *server_flags(tls, certificates)]) as port:
        output = run([program(CLIENT), *client_flags(port, tls, certificates),
                      "--test_case", "all"])
    assert set(OURS) <= set(passed(output)), output


@SECURITY
def test_grpcio_client_against_our_server(tls, certificates):
    with server([program(SERVER), *server_flags(tls, certificates)]) as port:
        trust = ["--ca", str(certificates / "ca.pem")] if tls else []
        output = run([*python("grpcio_client.py"), "--port", str(port), *trust])
    assert passed(output) == CASES


@SECURITY
def test_our_client_against_the_grpcio_server(tls, certificates):
    wanted = [case for case in OURS if case not in UNSEEN_BY_PEERS]
    identity = [str(certificates / "server.pem"), str(certificates / "server.key")]
    with server([*python("grpcio_server.py"), *(["--tls", *identity] if tls else [])]) as port:
        output = run([program(CLIENT), *client_flags(port, tls, certificates),
                      "--test_case", ",".join(wanted)])
    assert passed(output) == wanted


def test_a_refused_call_still_tells_its_initial_metadata():
    sent = ("x-grpc-test-echo-initial", "kept")
    request = grpcio_client.messages.SimpleRequest(response_status={"code": 5, "message": "no"})
    with server([program(SERVER), "--port", "0"]) as port:
        with grpc.insecure_channel(f"localhost:{port}") as channel:
            stub = grpcio_client.services.TestServiceStub(channel)
            with pytest.raises(grpc.RpcError) as refused:
                stub.UnaryCall(request, metadata=(sent,), timeout=20)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert sent in [tuple(each) for each in refused.value.initial_metadata()]


def test_cacheable_unary_through_a_caching_proxy():
    with server([program(SERVER), "--port", "0"]) as upstream:
        with server([*python("caching_proxy.py"), str(upstream)]) as port:
            output = run([program(CLIENT), "--server_host", "localhost", "--server_port",
                          str(port), "--test_case", "cacheable_unary"])
    assert passed(output) == ["cacheable_unary"]


def test_a_client_that_trusts_another_authority_gets_unavailable(certificates, tmp_path):
    subprocess.run([HERE / "make-certificates", tmp_path], check=True)
    with server([program(SERVER), *server_flags(True, certificates)]) as port:
        result = subprocess.run(
            [program(CLIENT), *client_flags(port, True, tmp_path), "--test_case", "empty_unary"],
            stdout=subprocess.PIPE, text=True, timeout=60)
    assert result.returncode == 1
    assert "UNAVAILABLE" in result.stdout


@pytest.fixture(scope="session")
def cpp_peers():
    """The C++ programs, built when they are missing or old."""
    if os.environ.get("OMNID_INTEROP_CPP") == "0":
        pytest.skip("OMNID_INTEROP_CPP=0")
    subprocess.run([HERE / "build-peers"], check=True)
    return PEERS


@SECURITY
def test_cpp_client_against_our_server(tls, certificates, cpp_peers):
    with server([program(SERVER), *server_flags(tls, certificates)]) as port:
        trust = [str(certificates / "ca.pem")] if tls else []
        output = run([str(cpp_peers / "cpp-interop-client"), f"localhost:{port}", *trust])
    assert passed(output) == OURS


@SECURITY
def test_our_client_against_the_cpp_server(tls, certificates, cpp_peers):
    wanted = [case for case in OURS if case not in UNSEEN_BY_PEERS]
    identity = [str(certificates / "server.pem"), str(certificates / "server.key")] if tls else []
    with server([str(cpp_peers / "cpp-interop-server"), *identity]) as port:
        output = run([program(CLIENT), *client_flags(port, tls, certificates),
                      "--test_case", ",".join(wanted)])
    assert passed(output) == wanted
