"""omnid with grpc-java on Netty, as every Java program brings it: over the Unix socket, and over TLS by certificate and by token."""

import base64
import glob
import hashlib
import os
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import threading

import pytest
import yaml

from lab import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEER = ROOT / "Tests/Interop/peers/java"
BUILD = ROOT / ".build/interop/java"
SERVICE = "omni.management.v1.ManagementService"
CLUSTERS = 300
SCHEMAS = ["google/rpc/status.proto", "google/rpc/error_details.proto", "grpc/health/v1/health.proto",
           "grpc/reflection/v1/reflection.proto", "omni/management/v1/management.proto"]
JARS = [f"/usr/share/java/{name}.jar" for name in (
    "grpc-api", "grpc-context", "grpc-core", "grpc-netty", "grpc-protobuf", "grpc-protobuf-lite", "grpc-stub", "guava", "jsr305",
    "geronimo-annotation-1.3-spec", "netty-buffer", "netty-codec", "netty-codec-http", "netty-codec-http2", "netty-common",
    "netty-handler", "netty-resolver", "netty-tcnative", "netty-transport", "perfmark-api", "protobuf")]
# Netty's TLS by OpenSSL, which the builds of grpc-java that bring their own Netty use; other programs have the JDK's.
TLS_LIBRARY = pathlib.Path("/usr/lib") / f"{os.uname().machine}-linux-gnu/jni/libnetty-tcnative.so"
# What lives for seconds does not pay for the better compiler.
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("java", "javac", "protoc", "grpc_java_plugin"))) or not all(map(os.path.exists, [*JARS, TLS_LIBRARY])),
    reason="libgrpc-java and what belongs to it are not installed (Tests/packages.txt)")


@pytest.fixture(scope="module")
def classes():
    """The Java client with the stubs of the schemas, built from Debian's packages alone."""
    sources = [*sorted(PEER.glob("*.java")), *(ROOT / "Proto" / name for name in SCHEMAS), pathlib.Path(__file__)]
    stamp = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if (BUILD / "stamp").exists() and (BUILD / "stamp").read_text() == stamp:
        return BUILD / "classes"
    shutil.rmtree(BUILD, ignore_errors=True)
    for name in ("schemas/google/rpc", "stubs", "classes", "libraries"):
        (BUILD / name).mkdir(parents=True)
    # Netty asks for it by this name, and the library for a path that ends so.
    shutil.copy(TLS_LIBRARY, BUILD / "libraries/libnetty_tcnative.so")
    for name in SCHEMAS[:2]:
        # grpc-java knows these by the package that Google's own file names.
        text = (ROOT / "Proto" / name).read_text()
        own = 'option java_package = "com.google.rpc";\noption java_multiple_files = true;\n'
        (BUILD / "schemas" / name).write_text(re.sub(r"(?m)^(package .*\n)", rf"\1{own}", text))
    subprocess.run(
        ["protoc", f"-I{BUILD}/schemas", f"-I{ROOT}/Proto", "-I/usr/include", f"--java_out={BUILD}/stubs",
         f"--plugin=protoc-gen-grpc-java={shutil.which('grpc_java_plugin')}", f"--grpc-java_out={BUILD}/stubs", *SCHEMAS],
        check=True, timeout=120)
    subprocess.run(
        ["javac", *(f"-J{flag}" for flag in QUICK[:2]), "-proc:none", "-nowarn", "-g:none", "-d", BUILD / "classes", "-cp",
         ":".join(JARS), *glob.glob(f"{BUILD}/stubs/**/*.java", recursive=True), *map(str, PEER.glob("*.java"))],
        check=True, timeout=300)
    (BUILD / "stamp").write_text(stamp)
    return BUILD / "classes"


class Client:
    """The Java client as a process: what it tells, as it tells it."""

    def __init__(self, classes, lab, *arguments):
        self.lab = lab
        self.told = {}
        self.lines = queue.Queue()
        self.complaints = lab.directory / f"java-{id(self)}.log"
        with open(self.complaints, "wb") as complaints:
            self.process = subprocess.Popen(
                ["java", *QUICK, f"-Djava.library.path={BUILD}/libraries", "-cp", ":".join([str(classes), *JARS]), "Client", *map(str, arguments)],
                stdout=subprocess.PIPE, stderr=complaints, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n").split("\t", 1))
        self.lines.put(None)

    def until(self, name, seconds=60):
        """Reads on until the client tells this."""
        while name not in self.told:
            line = self.lines.get(timeout=seconds)
            assert line, f"the client has ended: {self.told}\n{self.complaints.read_text()}"
            self.told[line[0]] = line[1]

    def end(self, seconds=200):
        """All that it has told; it has ended."""
        assert self.process.wait(seconds) == 0, self.complaints.read_text() + self.lab.log()[-2000:]
        while line := self.lines.get(timeout=10):
            self.told[line[0]] = line[1]
        return self.told


class Access:
    """A lab whose omnid is reached in one of the ways that Java programs have."""

    def __init__(self, classes, lab, way):
        self.classes = classes
        self.lab = lab
        self.way = way
        self.port = None
        self.options = []
        self.requester = None
        self.grant = None
        self.clients = []

    def close(self):
        for client in self.clients:
            client.process.kill()
            client.process.wait()

    def start(self):
        """Starts omnid, at the same port each time, and has access issued the first time."""
        if self.port is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        self.lab.start("--listen", f"tls:127.0.0.1:{self.port}", "--log-level", "debug")
        if not self.options:
            self.options = [f"--socket={self.lab.socket}"] if self.way == "unix" else self.issue(self.way.startswith("token"))
        return self

    def issue(self, is_token, role="operator"):
        """The options for access as `omnictl access issue` gives it and docs/access.md tells Java programs to use it."""
        directory = self.lab.directory
        file = directory / f"{role}-{is_token}.yaml"
        issued = self.lab.omnictl(
            "access", "issue", "--name", "java", "--role", role, "--ttl", "1h", "--output-file", str(file), *["--token"] * is_token)
        assert issued.returncode == 0, issued.stderr
        [context] = yaml.safe_load(file.read_text())["contexts"].values()
        ca = directory / "ca.pem"
        ca.write_bytes(base64.b64decode(context["ca"]))
        options = [f"--address=127.0.0.1:{self.port}", f"--ca={ca}", f"--tls={'jdk' if self.way.endswith('jdk') else 'openssl'}"]
        grants = [grant for grant in self.lab.call("ListAccess").grants if grant.name == "java"]
        self.grant = grants[-1].id
        if is_token:
            secret = directory / "token"
            secret.write_text(context["token"])
            return [*options, f"--token-file={secret}"]
        (directory / "me.pem").write_bytes(base64.b64decode(context["crt"]))
        (directory / "me-key.pem").write_bytes(base64.b64decode(context["key"]))
        convert(directory)
        return [*options, f"--certificate={directory}/me.pem", f"--key={directory}/me-pkcs8.pem"]

    def begin(self, *arguments):
        self.clients.append(Client(self.classes, self.lab, *self.options, *arguments))
        return self.clients[-1]

    def run(self, *arguments):
        return self.begin(*arguments).end()


def convert(directory):
    """Makes of the key what Java reads, with the command of docs/access.md."""
    [command] = re.findall(r"(?m)^openssl pkcs8 .*$", (ROOT / "docs/access.md").read_text())
    subprocess.run(command, shell=True, cwd=directory, check=True, timeout=30)


@pytest.fixture(params=["unix", "certificate", "certificate-jdk", "token-jdk"])
def access(request, classes, new_lab):
    access = Access(classes, new_lab(control_planes=1, workers=1), request.param)
    yield access
    access.close()


def one_connection(told):
    assert (told["connections made"], told["connections lost"]) == ("1", "0"), told


def test_the_standard_services(access):
    told = access.start().run("standard")
    assert told["health"] == "SERVING", told
    assert SERVICE in told["services 0"].split() and told["services 0"] == told["services 1"], told
    assert told["reflection"].startswith("Status{code=OK,"), told
    one_connection(told)


def test_the_details_of_a_refusal_arrive_as_google_rpc_status(access):
    told = access.start().run("refused")
    assert told["malformed code"] == told["malformed code in details"] == "INVALID_ARGUMENT", told
    assert told["malformed words"] == told["malformed words in details"] != "", told
    assert (told["malformed field"], told["malformed reason"]) == ("cluster", "INVALID_ARGUMENT"), told
    assert told["unknown code"] == told["unknown code in details"] == "NOT_FOUND", told
    assert told["unknown words"] == told["unknown words in details"] != "", told
    assert told["unknown cluster"] == "missing" and told["unknown domain"] == told["malformed domain"] != "", told
    one_connection(told)


def test_a_rotation_from_its_start_to_its_end(access):
    access.start().lab.import_cluster()
    told = access.run("rotate", access.lab.name, "TALOS_CA")
    assert (told["begun"], told["attached"]) == ("ROTATION_STATE_RUNNING", "false"), told
    assert (told["state"], told["rotation"]) == ("ROTATION_STATE_SUCCEEDED", "true"), told
    assert told["phases"].split() == ["PRE_ROTATE", "ROTATE", "POST_ROTATE"], told
    assert told["rising"] == "true" and int(told["messages"]) >= 4 and told["machines"] == "2 of 2", told
    expected = f"uid:{os.getuid()}" if access.way == "unix" else "token:java" if access.way == "token-jdk" else "cn:java"
    assert told["requester"].startswith(expected), told
    one_connection(told)


def test_streams_that_end_early_leave_the_connection_whole(access):
    access.start().lab.import_cluster()
    told = access.run("ends")
    assert told["deadline"].startswith("DEADLINE_EXCEEDED") and 1400 < int(told["milliseconds"]) < 10_000, told
    assert told["cancelled"].startswith("CANCELLED"), told
    assert told["before the deadline"] == told["after the deadline"] == told["after the cancellation"] == "OK", told
    one_connection(told)

    def ended():
        return re.findall(r"method=\S*WatchRotationStatus .*code=(\w+)", access.lab.log())
    # No handler is left behind.
    eventually(lambda: len(ended()) == 2)
    assert set(ended()) <= {"CANCELLED", "DEADLINE_EXCEEDED"}, ended()


@pytest.mark.parametrize("access", ["unix", "certificate-jdk"], indirect=True)
def test_deadlines_that_pass_while_the_request_is_being_sent_end_their_calls_alone(access):
    """Netty sends DATA behind its own RST_STREAM then."""
    told = access.start().run("hurry", 500)
    assert (told["codes"], told["after the hurry"]) == ("DEADLINE_EXCEEDED", "OK"), told
    one_connection(told)
    assert "protocol error" not in access.lab.log()


def test_a_crowd_of_calls_on_one_connection(access):
    told = access.start().run("crowd", 1000)
    assert (told["codes"], told["answered"]) == ("NOT_FOUND", "1000"), told
    one_connection(told)


def test_metadata_that_the_server_does_not_know(access):
    told = access.start().run("metadata")
    assert told["some"] == told["after too much"] == "OK", told
    assert not told["too much"].startswith("OK"), told
    one_connection(told)


@pytest.mark.parametrize("access", ["unix", "certificate-jdk"], indirect=True)
@pytest.mark.parametrize("options, encoding", [
    # grpc-java takes gzip from everybody unless it is told not to.
    ([], "gzip"), (["--compression=none"], "identity"), (["--compression=none", "--window=65535"], "identity")],
    ids=["compressed", "plain", "smallest-window"])
def test_large_answers(access, options, encoding):
    """With the window that grows with the bandwidth, which the channel measures with PING, and with the smallest."""
    access.start().lab.stop()
    # Of finished rotations; no machine of them answers.
    subprocess.run(
        [access.lab.binaries / "journal-seed", access.lab.state / "omnid.db", access.lab.state / "master.key", str(CLUSTERS)],
        check=True, timeout=300)
    told = access.start().run(*options, "large", 5, encoding)
    one = int(told["bytes of the last"])
    assert one > 300_000 and int(told["bytes"]) == 5 * one, told
    assert (told["clusters"], told["encoding"]) == (str(CLUSTERS), "null" if encoding == "identity" else encoding), told
    one_connection(told)


@pytest.mark.parametrize("access", ["unix", "token-jdk"], indirect=True)
def test_a_watch_that_is_silent_for_longer_than_the_keepalive_s_interval(access):
    told = access.start().run("silence", 25)
    assert told["end"].startswith("DEADLINE_EXCEEDED"), told
    one_connection(told)
    assert "too_many_pings" not in access.lab.log()


def test_a_client_that_outlives_the_server(access):
    """It waits for a connection, and tries again what an omnid refuses that is only starting."""
    access.start().lab.import_cluster()
    client = access.begin("--retries=5", "follow")
    client.until("watching")
    assert access.lab.stop() == 0
    client.until("end")
    access.start()
    told = client.end()
    assert told["end"].startswith("UNAVAILABLE") and told["next call"] == "OK", told
    # Attempts while nobody serves count too.
    assert int(told["connections made"]) >= 2, told


@pytest.mark.parametrize("access", ["certificate", "token-jdk"], indirect=True)
def test_access_that_is_revoked_ends_the_watch_of_its_holder(access):
    access.start().lab.import_cluster()
    client = access.begin("follow")
    client.until("watching")
    access.lab.call("RevokeAccess", id=access.grant)
    told = client.end()
    assert told["end"].startswith("UNAUTHENTICATED") and told["next call"].startswith("UNAUTHENTICATED"), told


@pytest.mark.parametrize("access", ["certificate", "certificate-jdk"], indirect=True)
def test_a_stranger_over_tls_is_refused(access):
    access.start()
    known, access.options = access.options, access.options[:3]
    assert access.run("call")["call"].startswith("UNAUTHENTICATED")
    access.options = known
    assert access.run("call")["call"] == "OK"


@pytest.mark.parametrize("access", ["unix"], indirect=True)
def test_any_authority_will_do_on_a_unix_socket(access):
    """What releases of grpc-java, and programs by `overrideAuthority`, send there."""
    path = str(access.lab.socket)
    told = access.start().run("call")
    assert (told["call"], told["channel authority"]) == ("OK", path), told
    values = ["localhost", "", path.replace("/", "%2F"), f"unix:{path}", f"unix://{path}", "omnid.example.org:443", "[::1]:80", "a b"]
    told = access.run("authorities", *values)
    assert told == {f"authority {value}": "OK" for value in values}
