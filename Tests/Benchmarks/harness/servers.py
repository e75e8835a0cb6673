"""Ours, the gRPC peers, and the ceiling: how each is started."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import processes

OURS = "omnid"
GRPC_PEERS = ("c++ callback", "c++ async", "grpc-go")
CEILING = "nghttpd"
MEBIBYTE = 1 << 20


@dataclass
class Files:
    """What the servers read and where they listen. One folder for a whole run."""

    build: Path  # .build
    folder: Path

    def __post_init__(self):
        self.bench = self.build / "bench"
        self.release = self.build / "release"
        self.socket = self.folder / "s"
        self.certificate = self.folder / "cert.pem"
        self.key = self.folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True)
        self.body = self.folder / "body"
        self.body.write_bytes(envelope(b"a" * 64))
        # What nghttpd answers with: as many bytes as the gRPC answer has.
        for name, size in (("y", 64), ("large", MEBIBYTE)):
            file = self.folder / "files" / "x.S" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(envelope(b"a" * size))


def envelope(payload):
    """`{bytes b = 1}` as a gRPC message."""
    length, varint = len(payload), b""
    while length >= 0x80:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    message = b"\x0a" + varint + bytes([length]) + payload
    return b"\0" + len(message).to_bytes(4, "big") + message


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server; use it with `with`."""

    def __init__(self, name, files, processor, tls=False, options=(), program=None, under=()):
        self.name = name
        self.options = options
        self.program = program
        self.under = under
        self.files = files
        self.port = free_port() if tls else None
        files.socket.unlink(missing_ok=True)
        command, env = self._command()
        self.log = open(files.folder / "server.log", "w+", encoding="utf-8")
        self.process = processes.start(command, processor, env, self.log)
        self.pid = self.process.pid
        self._wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.stop(self.process)
        self.log.close()

    @property
    def is_plain(self):
        """It answers with files, not with gRPC messages."""
        return self.name == CEILING

    def address(self):
        """The options of stream-load that lead here."""
        options = ["--port", self.port, "--tls"] if self.port else ["--unix", self.files.socket]
        return options + (["--plain"] if self.is_plain else [])

    def _command(self):
        files, tls = self.files, []
        if self.port:
            tls = ["--tls-port", self.port, "--cert", files.certificate, "--key", files.key]
        if self.name == OURS:
            program = self.program or files.release / "rpc-bench-server"
            return [*self.under, program, files.socket, *self.options, *tls], {}
        if self.name == "c++ callback":
            return [files.bench / "cpp-callback-server", files.socket, *tls], {}
        if self.name == "c++ async":
            return [files.bench / "cpp-async-server", files.socket, *tls], {}
        if self.name == "grpc-go":
            return [files.bench / "go-server", *tls, files.socket], {}
        options = ["-m", "200000", "-d", files.folder / "files"]
        if self.port:
            return ["nghttpd", "-a", "127.0.0.1", *options, self.port, files.key,
                    files.certificate], {}
        preload = {"LD_PRELOAD": str((files.bench / "nghttpd-unix.so").resolve()),
                   "UNIX_SOCKET_PATH": str(files.socket)}
        return ["nghttpd", "--no-tls", *options, "1"], preload

    def _wait(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                with socket.socket(socket.AF_INET if self.port else socket.AF_UNIX) as probe:
                    probe.connect(("127.0.0.1", self.port) if self.port else str(self.files.socket))
                time.sleep(0.05)
                return
            except OSError:
                time.sleep(0.01)
        processes.stop(self.process)
        self.log.seek(0)
        last = self.log.read().strip().splitlines()[-1:]
        raise processes.Failed(f"{self.name} does not start: {last}")
