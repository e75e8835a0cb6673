"""Starts the programs under test and their peers, and ends them."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
PEERS = ROOT / ".build/interop"
PYTHON = sys.executable


def program(name: str) -> str:
    path = BIN / name
    if not path.exists():
        raise RuntimeError(f"{path} is missing: run 'make interop-programs'")
    return str(path)


def python(name: str) -> list[str]:
    return [PYTHON, str(HERE / name)]


class Port(int):
    """The port of a server, and its process."""

    pid = 0

    @property
    def resident_bytes(self) -> int:
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def server(command: list[str], port_pattern: str = r"listening on port (\d+)"):
    """Runs a server; gives the port that it says it listens on."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    # A server that says nothing is ended, which ends the loop below.
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            said.append(line)
            if found := re.search(port_pattern, line):
                break
        else:
            raise RuntimeError(f"{command[0]} did not start:\n{''.join(said)}")
        watchdog.cancel()
        # Nobody reads what it says later; it must not block on it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        port = Port(found.group(1))
        port.pid = process.pid
        yield port
        assert process.poll() is None, f"{command[0]} died with {process.returncode}"
    finally:
        watchdog.cancel()
        # Asked first, so that it may remove what it keeps in temporary folders.
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(command: list[str], timeout: float = 60) -> str:
    """Runs a program to its end; fails with what it said unless it succeeds."""
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}"
    return result.stdout
