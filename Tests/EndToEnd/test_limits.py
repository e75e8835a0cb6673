"""What omnid does when clients, or the machine that it runs on, leave it no room."""

import os
import resource
import socket
import subprocess
import time

import pytest
from cryptography import x509

import authority
from lab import eventually

NOBODY = 65534


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=0)


def descriptors(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/fd")]


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_connections_wait_while_there_are_no_descriptors(lab):
    lab.start()
    pid = lab.omnid.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(descriptors(pid)) + 1, before[1]))
    crowd = []
    try:
        # Each gap among the descriptors takes one; the rest waits in the kernel's queue.
        for _ in range(60):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(str(lab.socket))
            except BlockingIOError:
                pass
            crowd.append(client)
        eventually(lambda: "connection not accepted" in lab.log())
        line = next(line for line in lab.log().splitlines() if "connection not accepted" in line)
        assert "Too many open files" in line and f"unix:{lab.socket}" in line, line
        begun, used = time.monotonic(), processor_time(pid)
        time.sleep(3)
        assert processor_time(pid) - used < (time.monotonic() - begun) / 4, "omnid tries without a pause"
        told = [line for line in lab.log().splitlines() if "connection not accepted" in line]
        assert len(told) <= 7, told
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for client in crowd:
            client.close()
    eventually(lab.is_serving)
    metrics = subprocess.run(
        ["curl", "-s", "--unix-socket", lab.socket, "--http2-prior-knowledge", "http://omnid/metrics"],
        capture_output=True, text=True, timeout=30).stdout
    counted = next(line for line in metrics.splitlines()
                   if line.startswith('omnid_connections_refused_total{reason="no_resources"}'))
    assert float(counted.split()[-1]) >= 1, counted


CROWD = """
import socket, sys
kept, name, count = [], sys.argv[1], int(sys.argv[2])
for _ in range(count):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect("\\0" + name)
    kept.append(client)
kept[-1].settimeout(float(sys.argv[3]))
try:
    print(kept[-1].recv(4096))
except TimeoutError:
    print("silence")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to call as another user")
def test_one_user_of_this_machine_cannot_have_all_connections(lab):
    name = f"omnid-test-{os.getpid()}-{time.monotonic_ns()}"
    lab.start("--listen", f"unix-abstract:{name}", "--max-connections-per-source", "4")

    def crowd(user, count, patience):
        return subprocess.run(
            ["/usr/bin/python3", "-c", CROWD, name, str(count), str(patience)], user=user, group=user, extra_groups=[],
            cwd="/", capture_output=True, text=True, timeout=60).stdout

    assert "too many connections from your user" in crowd(NOBODY, 5, 20)
    lab.logged(f"uid {NOBODY}")
    # Root, and omnid's own user, are not counted: both could end omnid.
    assert crowd(0, 20, 1) == "silence\n"
    eventually(lambda: crowd(NOBODY, 4, 1) == "silence\n")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def own_files(lab, directory):
    directory.mkdir(exist_ok=True)
    authority.Authority("server CA").issue(
        directory / "server", "omnid", x509.ExtendedKeyUsageOID.SERVER_AUTH)
    return ["--listen", f"tls:127.0.0.1:{free_port()}", "--tls-cert", directory / "server.pem",
            "--tls-key", directory / "server-key.pem"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_for_tls_that_others_can_read_is_refused_at_the_start(lab, mode):
    flags = own_files(lab, lab.directory / "tls")
    key = lab.directory / "tls/server-key.pem"
    key.chmod(mode)
    refused = subprocess.run(list(map(str, lab.serve(*flags))), capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1, refused
    assert f"chmod 600 {key}" in refused.stderr.splitlines()[-1], refused.stderr
    assert "PRIVATE" not in refused.stderr
    key.chmod(0o600)
    lab.start(*flags)


def test_a_key_for_tls_that_the_service_manager_hands_over_is_taken(lab):
    credentials = lab.directory / "credentials"
    flags = own_files(lab, credentials)
    # As systemd leaves it: root's, with an access list that shows as the group's right to read.
    (credentials / "server-key.pem").chmod(0o440)
    refused = subprocess.run(list(map(str, lab.serve(*flags))), capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "chmod 600" in refused.stderr, refused
    lab.omnid = subprocess.Popen(
        lab.serve(*flags), stderr=lab.omnid_log, env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)})
    eventually(lab.is_serving)


def test_a_header_that_is_too_large_to_be_decoded_is_answered_in_words(lab):
    lab.start()
    # A literal field without indexing, of a name "a" and a value of 70,000 bytes (RFC 7541 section 6.2.2).
    length, size = b"", 70_000 - 127
    while size >= 128:
        length += bytes([size % 128 + 128])
        size //= 128
    block = b"\x00\x01a\x7f" + length + bytes([size]) + b"x" * 70_000

    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    pieces = [block[begin:begin + 16_000] for begin in range(0, len(block), 16_000)]
    frames = frame(1, 0, 1, pieces[0]) + b"".join(
        frame(9, 4 if number == len(pieces) - 1 else 0, 1, piece) for number, piece in enumerate(pieces) if number)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(lab.socket))
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        try:
            client.sendall(frames)
        except OSError:
            pass
        said = b""
        try:
            while more := client.recv(65536):
                said += more
        except ConnectionResetError:
            pass
    assert b"a field is larger than 64 KiB" in said, said
    eventually(lambda: "a field is larger than 64 KiB" in lab.log())
    assert lab.is_serving()
