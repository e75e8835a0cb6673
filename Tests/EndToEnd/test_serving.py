"""The process: its socket, its state directory, its flags, and the services beside the main one."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import grpc
import pytest
from cryptography import x509
from google.protobuf import descriptor_pool, duration_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

import authority
import wire
from lab import eventually

SERVICE = "omni.management.v1.ManagementService"


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=0)


def run(lab, *arguments, **environment):
    """Runs omnid to its end."""
    return subprocess.run([lab.binaries / "omnid", *arguments], capture_output=True, text=True,
                          timeout=20, env={**os.environ, **environment})


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_files_are_private(lab):
    lab.state = lab.directory / "deep/state"
    lab.socket = lab.directory / "run/omnid.sock"
    os.umask(0o022)
    lab.start()
    assert mode(lab.socket) == 0o600
    assert stat.S_ISSOCK(os.stat(lab.socket).st_mode)
    assert mode(lab.socket.parent) == mode(lab.state) == mode(lab.state.parent) == 0o700
    for path in lab.state.iterdir():
        assert mode(path) == 0o600, path
    lab.import_cluster()
    for path in lab.state.iterdir():
        assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_second_omnid_is_refused(lab):
    lab.start()
    second = run(lab, "serve", "--listen", f"unix:{lab.directory}/other.sock", "--state-dir",
                 str(lab.state))
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert f"{lab.state} is in use by another omnid, process {lab.omnid.pid}" in second.stderr
    store = run(lab, "serve", "--listen", f"unix:{lab.directory}/other.sock", "--state-dir",
                f"{lab.directory}/other", "--store", f"sqlite:{lab.state}/omnid.db")
    assert store.returncode == 1 and "in use by another omnid" in store.stderr
    socket_in_use = run(lab, "serve", "--listen", f"unix:{lab.socket}", "--state-dir",
                        f"{lab.directory}/other")
    assert socket_in_use.returncode == 1 and "served by another process" in socket_in_use.stderr
    assert lab.is_serving()


def test_stale_socket_is_replaced(lab):
    lab.start()
    lab.stop(signal.SIGKILL)
    assert lab.socket.exists()
    lab.start()
    assert lab.stop() == 0
    assert not lab.socket.exists()


def test_what_is_no_socket_is_left_alone(lab):
    lab.socket.write_text("precious")
    refused = run(lab, *lab.serve()[1:])
    assert refused.returncode == 1 and "not a socket" in refused.stderr
    assert lab.socket.read_text() == "precious"
    first = lab.directory / "first.sock"
    refused = run(lab, "serve", "--listen", f"unix:{first}", *lab.serve()[2:])
    assert refused.returncode == 1
    assert not first.exists(), "a listener that was there already has gone with the rest"


def test_lost_master_key_is_not_replaced(lab):
    lab.start()
    lab.stop()
    key = lab.state / "master.key"
    kept = key.read_bytes()
    key.unlink()
    refused = run(lab, *lab.serve()[1:])
    assert refused.returncode == 1 and "bring the key back" in refused.stderr
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o644)
    refused = run(lab, *lab.serve()[1:])
    assert refused.returncode == 1 and "0600" in refused.stderr
    key.chmod(0o600)
    lab.start()


def test_another_master_key_is_refused(lab):
    lab.start()
    lab.import_cluster()
    lab.stop()
    key = lab.directory / "other.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    refused = run(lab, *lab.serve("--master-key-file", str(key))[1:])
    assert refused.returncode == 1 and "bring the right key back" in refused.stderr
    assert not lab.socket.exists()
    given = lab.directory / "given.key"
    (lab.state / "master.key").rename(given)
    lab.start("--master-key-file", given)
    lab.fresh_credentials()
    assert lab.stop() == 0
    lab.omnid = subprocess.Popen(
        lab.serve(), stderr=lab.omnid_log,
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(lab.directory / "credentials")})
    assert lab.omnid.wait(10) == 1, "the key is neither with the service manager nor in its place"
    (lab.directory / "credentials").mkdir()
    given.rename(lab.directory / "credentials/omnid-master-key")
    (lab.directory / "credentials/omnid-master-key").chmod(0o400)
    lab.omnid = subprocess.Popen(
        lab.serve(), stderr=lab.omnid_log,
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(lab.directory / "credentials")})
    eventually(lab.is_serving)
    lab.fresh_credentials()


def test_credentials_live_as_long_as_they_say(lab):
    lab.start()
    lab.import_cluster()
    ttl = duration_pb2.Duration(seconds=3600)
    talos = lab.call("Talosconfig", cluster=lab.name, ttl=ttl, roles=["os:reader"])
    kubernetes = lab.call("Kubeconfig", cluster=lab.name, ttl=ttl)
    for credential, expires in (
            (wire.Credential.from_talosconfig(talos.talosconfig), talos.expires_at),
            (wire.Credential.from_kubeconfig(kubernetes.kubeconfig), kubernetes.expires_at)):
        certificate = x509.load_pem_x509_certificate(credential.certificate.encode())
        end = certificate.not_valid_after_utc.timestamp()
        assert 0 <= end - expires.seconds <= 2
        assert abs(expires.seconds - time.time() - 3600) < 10
    organizations = x509.load_pem_x509_certificate(
        wire.Credential.from_talosconfig(talos.talosconfig).certificate.encode()
    ).subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    assert [name.value for name in organizations] == ["os:reader"]
    with pytest.raises(grpc.RpcError) as caught:
        lab.call("Talosconfig", cluster=lab.name, roles=["os:emperor"])
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert lab.details(caught.value, "BadRequest")[0].field_violations[0].field == "roles"


@pytest.mark.parametrize("arguments, problem", [
    ([], "a command is missing"),
    (["sing"], "there is no command 'sing'"),
    (["serve", "--volume", "11"], "there is no flag --volume"),
    (["serve", "--listen", "tls:127.0.0.1:0", "--tls-cert", "x"], "--tls-cert needs --tls-key"),
    (["serve", "--log-level", "loud"], "--log-level: 'loud'"),
    (["serve", "--config", "/nowhere"], "/nowhere"),
])
def test_wrong_usage(lab, arguments, problem):
    result = run(lab, *arguments)
    assert result.returncode == 2
    assert problem in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_help_and_version(lab):
    assert "--listen URI" in run(lab, "serve", "--help").stdout
    assert run(lab, "version").stdout.startswith("omnid ")


def test_configuration_file_and_environment(lab):
    config = lab.directory / "omnid.yaml"
    config.write_text(f"listen: unix:{lab.socket}\nlog-format: json\nlog-level: error\n")
    lab.omnid = subprocess.Popen(
        [lab.binaries / "omnid", "serve", "--config", config], stderr=lab.omnid_log,
        env={**os.environ, "OMNID_STATE_DIR": str(lab.state), "OMNID_LOG_LEVEL": "info"})
    eventually(lab.is_serving)
    assert lab.stop() == 0
    lines = [json.loads(line) for line in lab.log().splitlines()]
    notice = lines.pop(1)
    assert notice["message"].startswith("keep a copy of the master key elsewhere now")
    assert notice["level"] == "warning" and notice["master_key"] == f"{lab.state}/master.key"
    assert [line["message"] for line in lines] == ["made a new store", "listening", "serving", "stopping", "stopped"]
    assert all(line["level"] == "info" and line["time"].endswith("Z") for line in lines)


def test_service_manager_is_told(lab):
    path = lab.directory / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(10)
        lab.omnid = subprocess.Popen(
            lab.serve(), stderr=lab.omnid_log, env={**os.environ, "NOTIFY_SOCKET": str(path)})
        assert manager.recv(100) == b"READY=1"
        assert lab.is_serving()
        assert lab.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"


def test_a_second_signal_ends_at_once(lab):
    lab.start()
    with lab.channel() as channel:
        # A call that does not end holds the drain up.
        reading = threading.Event()
        stub = health_pb2_grpc.HealthStub(channel)
        stub.Check(health_pb2.HealthCheckRequest())
        call = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")(
            iter(lambda: reading.wait(30) and None, None))
        time.sleep(0.3)
        lab.omnid.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert lab.omnid.poll() is None
        lab.omnid.send_signal(signal.SIGTERM)
        assert lab.omnid.wait(2) == 128 + signal.SIGTERM
        lab.omnid = None
        call.cancel()
        reading.set()


def test_health(lab):
    lab.start()
    with lab.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE, "grpc.health.v1.Health"):
            response = stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert response.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
        assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        unknown.cancel()
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        lab.omnid.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(watch)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert lab.omnid.wait(5) == 0
    lab.omnid = None


def test_reflection(lab):
    """A client without a schema builds the whole of it and calls."""
    lab.start()
    with lab.channel() as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(database.get_services()) == {
            SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"}
        pool = descriptor_pool.DescriptorPool(database)
        service = pool.FindServiceByName(SERVICE)
        ours = lab.stubs.management.DESCRIPTOR.services_by_name["ManagementService"]
        assert {m.name: (m.input_type.full_name, m.output_type.full_name, m.server_streaming)
                for m in service.methods} == {
                    m.name: (m.input_type.full_name, m.output_type.full_name, m.server_streaming)
                    for m in ours.methods}
        for known in ours.file.message_types_by_name.values():
            found = pool.FindMessageTypeByName(known.full_name)
            assert [(f.name, f.number, f.type) for f in found.fields] == [
                (f.name, f.number, f.type) for f in known.fields]
        pool.FindMessageTypeByName("google.protobuf.Timestamp")
        for missing in ("nothing.Here", "omni.journal.v1.Cluster"):
            with pytest.raises(KeyError):
                pool.FindMessageTypeByName(missing)


@pytest.mark.parametrize("protocol", ["grpc", "grpcweb", "connect"])
def test_buf_curl(lab, protocol):
    lab.start()
    lab.import_cluster()
    buf = os.path.join(os.path.dirname(os.sys.executable), "buf")
    called = subprocess.run(
        [buf, "curl", "--unix-socket", lab.socket, "--http2-prior-knowledge", "--protocol",
         protocol, "-d", '{"cluster": "demo"}', f"http://localhost/{SERVICE}/GetRotationStatus"],
        capture_output=True, text=True, timeout=30)
    assert called.returncode == 0, called.stderr
    assert json.loads(called.stdout)["status"]["state"] == "ROTATION_STATE_IDLE"


def test_a_client_that_speaks_something_else_is_told_so_and_logged(lab):
    lab.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(lab.socket))
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while more := client.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 505 ") and b"--http2-prior-knowledge" in answer
    eventually(lambda: "another protocol" in lab.log())
    line = [line for line in lab.log().splitlines() if "another protocol" in line][0]
    assert f"unix:{lab.socket}" in line and "HTTP/1.1 is not spoken here" in line


def test_a_misspelt_field_of_json_starts_nothing(lab):
    lab.start()
    lab.import_cluster()
    called = subprocess.run(
        ["curl", "-s", "--unix-socket", lab.socket, "--http2-prior-knowledge", "-H",
         "content-type: application/json", "-d",
         '{"cluster": "demo", "component": "SECRET_COMPONENT_TALOS_CA", "dryrun": true}',
         f"http://omnid/{SERVICE}/RotateSecret"], capture_output=True, text=True, timeout=30)
    error = json.loads(called.stdout)
    assert error["code"] == "invalid_argument"
    assert 'unknown field "dryrun"; did you mean "dryRun"?' in error["message"]
    assert lab.status().state == lab.stubs.management.ROTATION_STATE_IDLE


def test_silent_connections_over_tcp_do_not_shut_out_the_socket(lab):
    server_ca, client_ca = authority.Authority("server CA"), authority.Authority("client CA")
    server_ca.issue(lab.directory / "server", "omnid", x509.ExtendedKeyUsageOID.SERVER_AUTH)
    (lab.directory / "client-ca.pem").write_bytes(client_ca.pem)
    with socket.socket() as free:
        free.bind(("127.0.102.1", 0))
        port = free.getsockname()[1]
    lab.start("--listen", f"tls:127.0.102.1:{port}", "--tls-cert", lab.directory / "server.pem",
              "--tls-key", lab.directory / "server-key.pem", "--tls-client-ca",
              lab.directory / "client-ca.pem", "--max-connections", "40")
    crowd = []
    try:
        for number in range(60):
            crowd.append(socket.create_connection(
                ("127.0.102.1", port), timeout=20, source_address=(f"127.0.102.{2 + number}", 0)))
        eventually(lambda: "connection refused" in lab.log())
        lab.import_cluster()
    finally:
        for each in crowd:
            each.close()


def test_mutual_tls(lab):
    """Remote callers are let in with a certificate of the client CA, and known by its name."""
    server_ca, client_ca = authority.Authority("server CA"), authority.Authority("client CA")
    server_ca.issue(lab.directory / "server", "omnid", x509.ExtendedKeyUsageOID.SERVER_AUTH)
    (lab.directory / "client-ca.pem").write_bytes(client_ca.pem)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab.start("--listen", f"tls:127.0.0.1:{port}", "--tls-cert", lab.directory / "server.pem",
              "--tls-key", lab.directory / "server-key.pem", "--tls-client-ca",
              lab.directory / "client-ca.pem")
    lab.import_cluster()
    request = lab.stubs.management.RotateSecretRequest(
        cluster=lab.name, component=lab.stubs.management.SECRET_COMPONENT_TALOS_CA)

    def rotate(issuer, role=None, usage=x509.ExtendedKeyUsageOID.CLIENT_AUTH):
        identity = (None, None)
        if issuer:
            issuer.issue(lab.directory / "client", "alice", usage, role)
            identity = ((lab.directory / "client-key.pem").read_bytes(),
                        (lab.directory / "client.pem").read_bytes())
        credentials = grpc.ssl_channel_credentials(server_ca.pem, *identity)
        with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
            stub = lab.stubs.management_grpc.ManagementServiceStub(channel)
            return stub.RotateSecret(request, timeout=10)

    for stranger, role, code in [
            (None, None, grpc.StatusCode.UNAUTHENTICATED),
            (authority.Authority("client CA"), "omni:admin", grpc.StatusCode.UNAVAILABLE),
            (client_ca, None, grpc.StatusCode.PERMISSION_DENIED),
            (client_ca, "omni:reader", grpc.StatusCode.PERMISSION_DENIED)]:
        with pytest.raises(grpc.RpcError) as caught:
            rotate(stranger, role)
        assert caught.value.code() == code
    with pytest.raises(grpc.RpcError) as caught:
        rotate(client_ca, "omni:admin", x509.ExtendedKeyUsageOID.SERVER_AUTH)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert rotate(client_ca, "omni:operator").status.requester.startswith("cn:alice/")
