"""Callers from elsewhere: who is let in over TLS, as whom, and what everybody else learns."""

import contextlib
import datetime
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import grpc
import h2.connection
import h2.events
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health_pb2, health_pb2_grpc

import authority
from lab import eventually

SERVICE = "omni.management.v1.ManagementService"
CODES = grpc.StatusCode


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Remote:
    """A lab whose omnid serves on a TLS port too."""

    def __init__(self, lab, *flags):
        self.lab = lab
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        lab.start("--listen", f"tls:127.0.0.1:{self.port}", *flags)
        self.roles = lab.stubs.management

    def role(self, name):
        return getattr(self.roles, f"ACCESS_ROLE_{name.upper()}")

    def issue(self, name="alice", role="operator", seconds=3600, subject=()):
        """(key, certificate, serial number), signed over the Unix socket."""
        key = ec.generate_private_key(ec.SECP256R1())
        request = (x509.CertificateSigningRequestBuilder()
                   .subject_name(x509.Name(list(subject))).sign(key, hashes.SHA256()))
        answer = self.lab.call(
            "IssueCertificate", name=name, role=self.role(role), ttl={"seconds": seconds},
            certificate_request=request.public_bytes(serialization.Encoding.PEM).decode())
        self.ca = answer.server_ca.encode()
        return pem(key), answer.certificate.encode(), answer.grant.id

    def token(self, role="operator", clusters=(), seconds=3600, name="ci"):
        answer = self.lab.call("IssueToken", name=name, role=self.role(role), clusters=clusters,
                               ttl={"seconds": seconds})
        self.ca = answer.server_ca.encode()
        return answer.token, answer.grant.id

    @contextlib.contextmanager
    def channel(self, key=None, certificate=None, *_):
        credentials = grpc.ssl_channel_credentials(self.ca, key, certificate)
        with grpc.secure_channel(f"127.0.0.1:{self.port}", credentials, [
                ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 20),
                ("grpc.max_reconnect_backoff_ms", 100)]) as channel:
            yield channel

    def call(self, method, identity=(), token=None, **fields):
        metadata = [("authorization", f"Bearer {token}")] if token else None
        with self.channel(*identity) as channel:
            return self.lab.call_on(channel, method, metadata=metadata, **fields)

    def refused(self, method, identity=(), token=None, **fields):
        """The error of a call, as (code, words, all of its details)."""
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, identity, token, **fields)
        error = caught.value
        details = [value for key, value in error.trailing_metadata() or ()
                   if key == "grpc-status-details-bin"]
        return error.code(), error.details(), details

    def audit(self):
        with self.lab.channel() as channel:
            stub = self.lab.stubs.management_grpc.ManagementServiceStub(channel)
            return [answer.entry for answer in
                    stub.ReadAuditLog(self.lab.stubs.management.ReadAuditLogRequest(), timeout=20)]


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=0)


@pytest.fixture
def remote(lab):
    return Remote(lab)


def test_everybody_whom_the_server_does_not_know_learns_the_same(remote):
    """No certificate, a revoked one, a token that is made up, revoked or expired."""
    lab = remote.lab
    lab.import_cluster()
    revoked = remote.issue("bob", "admin")
    lab.call("RevokeAccess", id=revoked[2])
    revoked_token, token_id = remote.token("admin")
    lab.call("RevokeAccess", id=token_id)
    admin = remote.issue("root", "admin")
    answers = []
    for cluster in (lab.name, "missing"):
        answers += [
            remote.refused("GetCluster", cluster=cluster),
            remote.refused("GetCluster", revoked, cluster=cluster),
            remote.refused("GetCluster", token="omni_" + "A" * 43, cluster=cluster),
            remote.refused("GetCluster", token="x", cluster=cluster),
            remote.refused("GetCluster", token=revoked_token, cluster=cluster),
            # A token that is not good is not made good by a certificate.
            remote.refused("GetCluster", admin, token=revoked_token, cluster=cluster),
        ]
    assert answers[0][0] == CODES.UNAUTHENTICATED
    assert all(answer == answers[0] for answer in answers)
    assert remote.call("GetCluster", admin, cluster=lab.name).cluster.name == lab.name
    # Why, the server's own log says.
    told = {entry.message for entry in remote.audit() if entry.code == "UNAUTHENTICATED"}
    assert any("is revoked" in message for message in told)
    assert any("no client certificate" in message for message in told)
    assert not any(revoked_token in str(entry) for entry in remote.audit())
    assert revoked_token not in lab.log()


def test_bad_certificates_are_refused_in_the_handshake_and_logged(remote, tmp_path):
    """One of another CA, one that has expired, and one for servers."""
    lab = remote.lab
    good = remote.issue()
    for stranger in ("other", "expired"):
        other = authority.Authority("omnid")
        other.issue(tmp_path / stranger, "alice", x509.ExtendedKeyUsageOID.CLIENT_AUTH,
                    "omni:admin", hours=-1 if stranger == "expired" else 1)
        identity = ((tmp_path / f"{stranger}-key.pem").read_bytes(),
                    (tmp_path / f"{stranger}.pem").read_bytes())
        assert remote.refused("ListClusters", identity)[0] == CODES.UNAVAILABLE
    # The server's own certificate is of the CA that lets clients in, and lets nobody in: there is no key to it outside.
    eventually(lambda: "handshake failed" in lab.log())
    lines = [line for line in lab.log().splitlines() if "handshake failed" in line]
    assert f"listener=127.0.0.1:{remote.port}" in lines[0]
    assert "certificate" in lines[0]
    for _ in range(30):
        remote.refused("ListClusters", identity)
    lines = [line for line in lab.log().splitlines() if "handshake failed" in line]
    assert len(lines) < 15
    remote.call("ListClusters", good)


def test_a_certificate_that_expires_ends_its_connection(remote):
    short = remote.issue("short", "reader", seconds=60)
    certificate = x509.load_pem_x509_certificate(short[1])
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.timezone.utc)
    assert left.total_seconds() <= 60
    with remote.channel(*short) as channel:
        stub = remote.lab.stubs.management_grpc.ManagementServiceStub(channel)
        watch = stub.WatchRotationStatus(
            remote.lab.stubs.management.WatchRotationStatusRequest(), timeout=90)
        with pytest.raises(grpc.RpcError) as caught:
            for _ in watch:
                pass
        assert caught.value.code() in (CODES.UNAUTHENTICATED, CODES.UNAVAILABLE)
    assert remote.refused("ListClusters", short)[0] == CODES.UNAVAILABLE


def test_roles(remote):
    """Who lacks a role is told so, and it is written down."""
    lab = remote.lab
    lab.import_cluster()
    talos = lab.stubs.management.SECRET_COMPONENT_TALOS_CA
    reader, operator = remote.issue("rita", "reader"), remote.issue("otto", "operator")
    assert remote.call("GetCluster", reader, cluster=lab.name).cluster.name == lab.name
    for method, fields in [("RotateSecret", {"component": talos}), ("LockCluster", {}),
                           ("Talosconfig", {}), ("ForgetCluster", {})]:
        code, words, _ = remote.refused(method, reader, cluster=lab.name, **fields)
        assert code == CODES.PERMISSION_DENIED and "reader" in words
        assert (code, words) == remote.refused(method, reader, cluster="missing", **fields)[:2]
    for method in ("Talosconfig", "Kubeconfig", "ForgetCluster", "ExportSecrets"):
        assert remote.refused(method, operator, cluster=lab.name)[0] == CODES.PERMISSION_DENIED
    started = remote.call("RotateSecret", operator, cluster=lab.name, component=talos)
    assert started.status.requester == f"cn:otto/{operator[2][:8]}"
    lab.finish()
    denied = [entry for entry in remote.audit() if entry.code == "PERMISSION_DENIED"]
    assert {entry.caller for entry in denied} == {
        f"cn:rita/{reader[2][:8]}", f"cn:otto/{operator[2][:8]}"}
    assert {entry.method for entry in denied} >= {"RotateSecret", "Talosconfig", "ExportSecrets"}


def test_a_signing_request_does_not_say_the_role(remote):
    asked = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "omni:admin"),
             x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")]
    identity = remote.issue("eve", "reader", subject=asked)
    subject = x509.load_pem_x509_certificate(identity[1]).subject
    assert subject.rfc4514_string() == "CN=eve,O=omni:reader"
    assert remote.refused("ListAccess", identity)[0] == CODES.PERMISSION_DENIED


def test_a_token_for_one_cluster_learns_nothing_of_another(remote):
    lab = remote.lab
    lab.import_cluster()
    own, _ = remote.token("admin", [lab.name])
    other, _ = remote.token("admin", ["elsewhere"])
    assert remote.call("GetCluster", token=own, cluster=lab.name).cluster.name == lab.name
    assert [c.name for c in remote.call("ListClusters", token=own).clusters] == [lab.name]
    assert not remote.call("ListClusters", token=other).clusters
    answers = []
    for method in ("GetCluster", "GetRotationStatus", "ListRotations", "Talosconfig",
                   "LockCluster", "ForgetCluster", "RotateSecret", "ExportSecrets"):
        answers += [remote.refused(method, token=other, cluster=lab.name),
                    remote.refused(method, token=other, cluster="missing")]
    answers.append(remote.refused("ImportCluster", token=other, cluster="elsewhere",
                                  talosconfig=lab.talosconfig))
    assert answers[0][0] == CODES.PERMISSION_DENIED
    assert all(answer == answers[0] for answer in answers)
    assert remote.refused("GetCluster", token=other, cluster="elsewhere")[0] == CODES.NOT_FOUND
    # What is about the whole server is not for it either.
    for method in ("ListAccess", "IssueToken", "RevokeAccess"):
        assert remote.refused(method, token=own)[0] == CODES.PERMISSION_DENIED
    with remote.channel() as channel:
        stub = lab.stubs.management_grpc.ManagementServiceStub(channel)
        for call, request in [
                (stub.WatchRotationStatus, lab.stubs.management.WatchRotationStatusRequest()),
                (stub.ReadAuditLog, lab.stubs.management.ReadAuditLogRequest())]:
            with pytest.raises(grpc.RpcError) as caught:
                next(call(request, timeout=10, metadata=[("authorization", f"Bearer {own}")]))
            assert caught.value.code() == CODES.PERMISSION_DENIED


@pytest.mark.parametrize("kind", ["certificate", "token"])
def test_revoking_ends_calls_under_way(remote, kind):
    lab = remote.lab
    identity, metadata = (), None
    if kind == "token":
        token, number = remote.token("reader")
        metadata = [("authorization", f"Bearer {token}")]
    else:
        identity = remote.issue("rita", "reader")
        number = identity[2]
    with remote.channel(*identity) as channel:
        stub = lab.stubs.management_grpc.ManagementServiceStub(channel)
        watch = stub.WatchRotationStatus(
            lab.stubs.management.WatchRotationStatusRequest(), timeout=60, metadata=metadata)
        watch.initial_metadata()
        assert lab.call("RevokeAccess", id=number).ended_calls == 1
        with pytest.raises(grpc.RpcError) as caught:
            next(watch)
        assert caught.value.code() == CODES.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as caught:
            lab.call_on(channel, "ListClusters", metadata=metadata)
        assert caught.value.code() == CODES.UNAUTHENTICATED
    # It holds after a start too.
    lab.stop(signal.SIGKILL)
    lab.start("--listen", f"tls:127.0.0.1:{remote.port}")
    token = token if kind == "token" else None
    assert remote.refused("ListClusters", identity, token)[0] == CODES.UNAUTHENTICATED
    assert lab.call("ListAccess").grants[0].revoked_by == f"uid:{os.getuid()}"


def test_the_store_holds_neither_keys_nor_tokens(remote):
    token, _ = remote.token()
    key, certificate, _ = remote.issue()
    for path in remote.lab.state.iterdir():
        held = path.read_bytes()
        assert token.encode() not in held and b"PRIVATE KEY" not in held, path
    server = ssl.get_server_certificate(("127.0.0.1", remote.port))
    remote.lab.stop()
    remote.lab.start("--listen", f"tls:127.0.0.1:{remote.port}")
    # The CA stays; what it signed is good for the next start.
    remote.call("ListClusters", (key, certificate))
    assert ssl.get_server_certificate(("127.0.0.1", remote.port)) != server


def test_health_and_reflection_ask_who_calls(remote):
    identity = remote.issue("probe", "reader")
    for credentials, code in [((), CODES.UNAUTHENTICATED), (identity, None)]:
        with remote.channel(*credentials) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            if code is None:
                answer = check(health_pb2.HealthCheckRequest(), timeout=10)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
            else:
                with pytest.raises(grpc.RpcError) as caught:
                    check(health_pb2.HealthCheckRequest(), timeout=10)
                assert caught.value.code() == code


def test_versions_of_tls_and_protocols(remote):
    """TLS 1.3 and 1.2 with h2, nothing older; HTTP/1.1 is told what to do."""
    remote.token()
    remote.lab.directory.joinpath("ca.pem").write_bytes(remote.ca)

    def connect(version, protocols=("h2",)):
        context = ssl.create_default_context(cadata=remote.ca.decode())
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(protocols)
        with socket.create_connection(("127.0.0.1", remote.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return secure.version(), secure.selected_alpn_protocol()

    assert connect(ssl.TLSVersion.TLSv1_3) == ("TLSv1.3", "h2")
    assert connect(ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", "h2")
    old = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{remote.port}", "-tls1_1"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    assert old.returncode != 0
    told = subprocess.run(
        ["curl", "-sS", "--http1.1", "--cacert", remote.lab.directory / "ca.pem", "-i",
         f"https://localhost:{remote.port}/"], capture_output=True, text=True, timeout=20)
    assert told.stdout.startswith("HTTP/1.1 505") and "HTTP/2 over TLS" in told.stdout


def test_curl_with_a_token(remote):
    lab = remote.lab
    lab.import_cluster()
    token, _ = remote.token("reader", [lab.name])
    (lab.directory / "ca.pem").write_bytes(remote.ca)

    def curl(*flags):
        return json.loads(subprocess.run(
            ["curl", "-sS", "--cacert", lab.directory / "ca.pem", "-H",
             "content-type: application/json", "-d", json.dumps({"cluster": lab.name}), *flags,
             f"https://localhost:{remote.port}/{SERVICE}/GetRotationStatus"],
            capture_output=True, text=True, timeout=20).stdout)

    assert curl("-H", f"authorization: Bearer {token}")["status"]["cluster"] == lab.name
    assert curl()["code"] == "unauthenticated"

    def get(method, *flags):
        """Connect's GET, whose request stands in the query."""
        query = urllib.parse.urlencode({
            "connect": "v1", "encoding": "json", "message": json.dumps({"cluster": lab.name})})
        return json.loads(subprocess.run(
            ["curl", "-sS", "--cacert", lab.directory / "ca.pem", *flags,
             f"https://localhost:{remote.port}/{SERVICE}/{method}?{query}"],
            capture_output=True, text=True, timeout=20).stdout)

    bearer = ("-H", f"authorization: Bearer {token}")
    assert get("GetRotationStatus", *bearer)["status"]["cluster"] == lab.name
    assert get("GetRotationStatus")["code"] == "unauthenticated"
    assert get("ListAccess", *bearer)["code"] == "permission_denied"
    assert {entry.method for entry in remote.audit()} >= {"GetRotationStatus", "ListAccess"}
    assert not any("?" in entry.method for entry in remote.audit())


# omnictl

def omnictl(lab, *arguments, endpoint=None, config=None):
    environment = {key: value for key, value in os.environ.items() if key != "OMNI_ENDPOINT"}
    environment["OMNICTL_CONFIG"] = str(config or lab.directory / "omni/config.yaml")
    if endpoint:
        environment["OMNI_ENDPOINT"] = endpoint
    return subprocess.run([lab.binaries / "omnictl", *arguments], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, env=environment)


def test_omnictl_from_elsewhere(remote):
    """The first admin is issued on the socket; everything else goes over TLS."""
    lab = remote.lab
    lab.import_cluster()
    local = f"unix:{lab.socket}"
    issued = omnictl(lab, "access", "issue", "--name", "root", "--role", "admin", endpoint=local)
    assert issued.returncode == 0, issued.stderr
    config = lab.directory / "omni/config.yaml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert config.parent.stat().st_mode & 0o777 == 0o700
    assert omnictl(lab, "context", "use", "root").returncode == 0
    listed = omnictl(lab, "cluster", "list")
    assert listed.returncode == 0 and lab.name in listed.stdout, listed.stderr
    # The admin lets others in, each by a file of their own.
    rita = lab.directory / "rita.yaml"
    issued = omnictl(lab, "access", "issue", "--name", "rita", "--role", "reader",
                     "--output-file", rita)
    assert issued.returncode == 0, issued.stderr
    assert rita.stat().st_mode & 0o777 == 0o600
    hers = lab.directory / "hers.yaml"
    assert omnictl(lab, "context", "add", "prod", "--from", rita, config=hers).returncode == 0
    assert omnictl(lab, "cluster", "get", lab.name, config=hers).returncode == 0
    denied = omnictl(lab, "cluster", "lock", lab.name, config=hers)
    assert denied.returncode == 6 and "reader" in denied.stderr
    # Also by the endpoint alone.
    assert omnictl(lab, "--endpoint", f"tls:127.0.0.1:{remote.port}", "cluster", "list",
                   config=hers).returncode == 0
    listing = omnictl(lab, "access", "list", "-o", "json")
    grants = {grant["name"]: grant["id"] for grant in json.loads(listing.stdout)["grants"]}
    assert omnictl(lab, "access", "revoke", grants["rita"]).returncode == 0
    gone = omnictl(lab, "cluster", "list", config=hers)
    assert gone.returncode == 6 and len(gone.stderr.splitlines()) == 1, gone.stderr
    assert "PRIVATE KEY" not in issued.stdout + issued.stderr + lab.log()


def test_omnictl_with_a_token(remote):
    lab = remote.lab
    lab.import_cluster()
    ci = lab.directory / "ci.yaml"
    issued = omnictl(lab, "access", "issue", "--token", "--name", "ci", "--role", "operator",
                     "--cluster", lab.name, "--ttl", "10m", "--output-file", ci,
                     endpoint=f"unix:{lab.socket}")
    assert issued.returncode == 0, issued.stderr
    token = yaml.safe_load(ci.read_text())["contexts"]["ci"]["token"]
    assert token not in issued.stdout + issued.stderr + lab.log()
    again = omnictl(lab, "access", "issue", "--token", "--name", "ci", "--output-file", ci,
                    endpoint=f"unix:{lab.socket}")
    assert again.returncode == 3 and "--force" in again.stderr
    # As a file with the token alone, beside the CA.
    context = yaml.safe_load(ci.read_text())["contexts"]["ci"]
    import base64
    (lab.directory / "ca.pem").write_bytes(base64.b64decode(context["ca"]))
    (lab.directory / "token").write_text(token + "\n")
    added = omnictl(lab, "context", "add", "ci", "--endpoint", context["endpoint"], "--ca",
                    lab.directory / "ca.pem", "--token-file", lab.directory / "token")
    assert added.returncode == 0, added.stderr
    rotated = omnictl(lab, "cluster", "-n", lab.name, "secret", "rotate", "talos-ca", "--yes")
    assert rotated.returncode == 0, rotated.stderr
    assert omnictl(lab, "cluster", "-n", lab.name, "talosconfig").returncode == 6
    assert omnictl(lab, "cluster", "get", "missing").returncode == 6


def test_omnictl_says_what_is_wrong_with_a_context(remote, tmp_path):
    lab = remote.lab
    endpoint = f"tls:127.0.0.1:{remote.port}"
    unknown = omnictl(lab, "--endpoint", endpoint, "cluster", "list")
    assert unknown.returncode == 6 and "context add" in unknown.stderr
    assert omnictl(lab, "--context", "nope", "cluster", "list").returncode == 5
    issued = omnictl(lab, "access", "issue", "--name", "root", "--role", "admin",
                     endpoint=f"unix:{lab.socket}")
    assert issued.returncode == 0, issued.stderr
    config = lab.directory / "omni/config.yaml"
    # Another CA: the server is not the one that was meant.
    held = yaml.safe_load(config.read_text())
    import base64
    held["contexts"]["root"]["ca"] = base64.b64encode(authority.Authority("x").pem).decode()
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(held))
    other.chmod(0o600)
    wrong = omnictl(lab, "--context", "root", "cluster", "list", config=other)
    assert wrong.returncode == 7 and "is not trusted" in wrong.stderr, wrong.stderr
    # A client certificate of another CA.
    stranger = authority.Authority("omnid")
    stranger.issue(tmp_path / "eve", "eve", x509.ExtendedKeyUsageOID.CLIENT_AUTH, "omni:admin")
    (tmp_path / "ca.pem").write_bytes(base64.b64decode(yaml.safe_load(
        config.read_text())["contexts"]["root"]["ca"]))
    assert omnictl(lab, "context", "add", "eve", "--endpoint", endpoint, "--ca",
                   tmp_path / "ca.pem", "--cert", tmp_path / "eve.pem", "--key",
                   tmp_path / "eve-key.pem").returncode == 0
    refused = omnictl(lab, "--context", "eve", "cluster", "list")
    assert refused.returncode == 6 and "does not let you in" in refused.stderr, refused.stderr
    config.chmod(0o644)
    open_to_all = omnictl(lab, "--context", "root", "cluster", "list")
    assert open_to_all.returncode == 3 and "chmod 600" in open_to_all.stderr


def test_an_endpoint_of_sideros_omni_is_told_apart(remote):
    lab = remote.lab
    for text in ("https://acme.omni.siderolabs.io", "grpc://omni.example.org:8090"):
        told = omnictl(lab, "cluster", "list", endpoint=text)
        assert told.returncode == 2 and len(told.stderr.splitlines()) == 1
        assert told.stderr.startswith("omnictl: OMNI_ENDPOINT ") and "Sidero Omni" in told.stderr
        told = omnictl(lab, "--endpoint", text, "cluster", "list")
        assert told.returncode == 2 and "--endpoint" in told.stderr and "Sidero Omni" in told.stderr
    assert omnictl(lab, "version", endpoint="https://acme.omni.siderolabs.io").returncode == 0


# Files of one's own, limits, other sockets

def test_files_are_read_again_and_no_connection_is_dropped(lab, tmp_path):
    server, clients, others = (authority.Authority(name) for name in ("server", "c1", "c2"))
    server.issue(tmp_path / "server", "omnid", x509.ExtendedKeyUsageOID.SERVER_AUTH)
    (tmp_path / "clients.pem").write_bytes(clients.pem)
    remote = Remote(lab, "--tls-cert", tmp_path / "server.pem", "--tls-key",
                    tmp_path / "server-key.pem", "--tls-client-ca", tmp_path / "clients.pem")
    remote.ca = server.pem

    def identity(issuer, name):
        serial = issuer.issue(tmp_path / name, name, x509.ExtendedKeyUsageOID.CLIENT_AUTH,
                              "omni:reader")
        return ((tmp_path / f"{name}-key.pem").read_bytes(),
                (tmp_path / f"{name}.pem").read_bytes(), serial)

    old, new = identity(clients, "old"), identity(others, "new")
    assert remote.refused("ListClusters", new)[0] == CODES.UNAVAILABLE
    assert remote.refused("IssueCertificate", old)[0] == CODES.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError) as caught:
        remote.issue()
    assert caught.value.code() == CODES.FAILED_PRECONDITION
    with remote.channel(*old) as channel:
        lab.call_on(channel, "ListClusters")
        first = ssl.get_server_certificate(("127.0.0.1", remote.port))
        # What is half written is not used.
        (tmp_path / "clients.pem").write_bytes(b"half")
        eventually(lambda: "cannot be used" in lab.log())
        lab.call_on(channel, "ListClusters")
        remote.call("ListClusters", old)
        (tmp_path / "clients.pem").write_bytes(others.pem)
        server.issue(tmp_path / "server", "omnid", x509.ExtendedKeyUsageOID.SERVER_AUTH)
        lab.omnid.send_signal(signal.SIGHUP)
        eventually(lambda: ssl.get_server_certificate(("127.0.0.1", remote.port)) != first)
        remote.call("ListClusters", new)
        assert remote.refused("ListClusters", old)[0] == CODES.UNAVAILABLE
        lab.call_on(channel, "ListClusters")
        # The serial number of another CA's certificate can be revoked.
        lab.call("RevokeAccess", id=new[2], foreign_serial=True)
        assert remote.refused("ListClusters", new)[0] == CODES.UNAUTHENTICATED


def test_whoever_fills_the_tcp_listener_keeps_nobody_off_the_socket(lab):
    remote = Remote(lab, "--max-connections", "60", "--max-connections-per-listener", "30",
                    "--max-connections-per-source", "20", "--max-handshakes", "16")
    remote.token()
    crowd = []
    try:
        for number in range(60):
            client = socket.create_connection(
                ("127.0.0.1", remote.port), timeout=20,
                source_address=(f"127.0.0.{2 + number % 4}", 0))
            # A handshake that never goes on.
            client.sendall(b"\x16\x03\x01\x02\x00")
            crowd.append(client)
        eventually(lambda: "connection refused" in lab.log() or "handshake failed" in lab.log())
        begun = time.monotonic()
        assert lab.call("ListClusters", timeout=5) is not None
        assert time.monotonic() - begun < 5
    finally:
        for client in crowd:
            client.close()


def test_a_stranger_is_refused_by_the_head_of_a_call(lab):
    """The answer comes amid the request, of which nothing is kept: else it would wait for the request's end."""
    remote = Remote(lab)
    remote.token()
    chunk = b"\x00" * 8192
    context = ssl.create_default_context(cadata=remote.ca.decode())
    context.set_alpn_protocols(["h2"])
    crowd = []
    try:
        for _ in range(10):
            plain = socket.create_connection(("127.0.0.1", remote.port), timeout=20)
            client = context.wrap_socket(plain, server_hostname="localhost")
            crowd.append(client)
            connection = h2.connection.H2Connection()
            connection.initiate_connection()
            client.sendall(connection.data_to_send())
            for _ in range(2):
                stream = connection.get_next_available_stream_id()
                connection.send_headers(stream, [
                    (":method", "POST"), (":scheme", "https"), (":authority", "localhost"),
                    (":path", f"/{SERVICE}/ImportCluster"), ("te", "trailers"),
                    ("content-type", "application/grpc")])
                for _ in range(3):
                    connection.send_data(stream, chunk)
                client.sendall(connection.data_to_send())
            told = b""
            while b"UNAUTHENTICATED" not in told and b"does not know who calls" not in told:
                data = client.recv(65536)
                assert data
                for event in connection.receive_data(data):
                    if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                        told += b" ".join(
                            (value if isinstance(value, bytes) else value.encode())
                            for _, value in event.headers)
        # The request's end was never sent: what came of it is gone all the same.
        lab.import_cluster()
    finally:
        for client in crowd:
            client.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_the_users_of_this_machine(lab):
    """Root and the owner are admins, the group's members operators, everybody else nobody."""
    lab.directory.chmod(0o711)
    for above in lab.directory.parents:
        if above.stat().st_mode & 0o011 != 0o011 and str(above).startswith("/tmp"):
            above.chmod(0o711)
    binary = lab.directory / "omnictl"
    binary.write_bytes((lab.binaries / "omnictl").read_bytes())
    binary.chmod(0o755)
    lab.socket = lab.directory / "run/omnid.sock"
    lab.start("--socket-group", "4321", "--listen", "unix-abstract:" + lab.directory.name)
    assert lab.socket.stat().st_mode & 0o777 == 0o660 and lab.socket.stat().st_gid == 4321
    assert lab.socket.parent.stat().st_mode & 0o777 == 0o710
    lab.import_cluster()

    def run(*arguments, user=1234, groups=(), endpoint=f"unix:{lab.socket}"):
        return subprocess.run(
            [binary, "--endpoint", endpoint, *arguments], capture_output=True, text=True,
            timeout=30, user=user, group=1234, extra_groups=list(groups), env={"HOME": "/nowhere"})

    assert run("cluster", "list", groups=[4321]).returncode == 0
    assert run("cluster", "lock", lab.name, groups=[4321]).returncode == 0
    denied = run("cluster", "forget", lab.name, "--yes", groups=[4321])
    assert denied.returncode in (2, 6), denied.stderr
    assert run("access", "list", groups=[4321]).returncode == 6
    assert run("cluster", "list").returncode == 6
    # A socket without a file can be reached by everybody: the kernel says who they are.
    abstract = "unix-abstract:" + lab.directory.name
    stranger = run("cluster", "list", endpoint=abstract)
    assert stranger.returncode == 6 and "have none" in stranger.stderr
    assert run("cluster", "list", groups=[4321], endpoint=abstract).returncode == 0
    assert run("access", "list", user=0, endpoint=abstract).returncode == 0


def test_other_clients_find_the_abstract_socket(lab):
    name = "omnid-" + lab.directory.name
    lab.start("--listen", f"unix-abstract:{name}")
    with grpc.insecure_channel(f"unix-abstract:{name}") as channel:
        assert not lab.call_on(channel, "ListClusters").clusters
    told = subprocess.run(
        ["curl", "-sS", "--abstract-unix-socket", name, "--http2-prior-knowledge", "-H",
         "content-type: application/json", "-d", "{}", f"http://omnid/{SERVICE}/ListClusters"],
        capture_output=True, text=True, timeout=20)
    assert told.stdout == "{}", told
