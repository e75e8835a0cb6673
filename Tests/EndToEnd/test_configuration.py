"""`omnid config check`, and what SIGHUP brings about."""

import contextlib
import os
import signal
import socket
import subprocess

import pytest

from lab import eventually


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=0)


def check(lab, *arguments):
    return subprocess.run([lab.binaries / "omnid", "config", "check", *arguments], capture_output=True, text=True,
                          timeout=20)


def test_every_error_of_a_file_is_told_with_its_line_and_the_status_says_so(lab, tmp_path):
    file = tmp_path / "omnid.yaml"
    file.write_text("log-level: loud\nstate-dir: /s\nmax-age: never\n")
    wrong = check(lab, "--config", file)
    assert wrong.returncode == 2 and not wrong.stdout
    assert wrong.stderr.splitlines() == [
        f"omnid: {file}:1: log-level: 'loud' is not debug, info, warning or error",
        f"omnid: {file}:3: max-age: 'never' is not a time such as 90s, 5m or 1h30m, nor 0 for none"]
    file.write_text("log-level: debug\n")
    good = check(lab, "--config", file)
    assert good.returncode == 0 and not good.stderr
    assert check(lab, "--config", tmp_path / "missing").returncode == 2
    assert subprocess.run([lab.binaries / "omnid", "config"], capture_output=True, timeout=20).returncode == 2


def test_a_state_directory_that_serve_would_refuse_is_told(lab, tmp_path):
    directory = tmp_path / "state"
    assert check(lab, "--state-dir", directory).returncode == 0 and not directory.exists()
    directory.mkdir()
    directory.chmod(0o777)
    wrong = check(lab, "--state-dir", directory)
    assert wrong.returncode == 2 and "0777" in wrong.stderr, wrong
    directory.chmod(0o700)
    assert check(lab, "--state-dir", directory).returncode == 0


@contextlib.contextmanager
def service_manager(path):
    """Takes systemd's place: a socket that is told how the service is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        yield lambda: manager.recv(4096).decode().splitlines()


def test_sighup_changes_the_log_level_and_says_what_needs_a_restart(lab, tmp_path, monkeypatch):
    file = tmp_path / "omnid.yaml"
    file.write_text("log-level: info\n")
    with service_manager(tmp_path / "notify") as told:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        lab.start("--config", str(file))
        monkeypatch.delenv("NOTIFY_SOCKET")
        assert told() == ["READY=1"]

        def reload(text):
            file.write_text(text)
            lab.omnid.send_signal(signal.SIGHUP)
            reloading = told()
            assert reloading[0] == "RELOADING=1" and reloading[1].startswith("MONOTONIC_USEC=")
            assert told() == ["READY=1"]

        lab.import_cluster()
        assert "method=/omni.management.v1.ManagementService/GetRotationStatus" not in lab.log()
        reload("log-level: debug\nmax-streams: 9\n")
        eventually(lambda: 'settings="the limits of callers"' in lab.log())
        lab.status()
        eventually(lambda: "method=/omni.management.v1.ManagementService/GetRotationStatus" in lab.log())
        reload("log-level: [\n")
        eventually(lambda: "what held before stays in force" in lab.log())
        reload("log-level: warning\n")
        before = lab.log().count("GetRotationStatus")
        lab.status()
        assert lab.log().count("GetRotationStatus") == before
        # Many at once do no harm, and nothing ends omnid but what is meant to.
        for _ in range(50):
            os.kill(lab.omnid.pid, signal.SIGHUP)
        lab.status()
        assert lab.stop() == 0
