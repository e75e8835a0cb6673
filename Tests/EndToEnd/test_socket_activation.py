"""The socket that a service manager opens: clients wait for omnid and are not refused."""

import signal
import socket
import stat
import subprocess

import pytest

from lab import eventually


@pytest.fixture
def activated(new_lab):
    """Starts systemd-socket-activate with the lab's socket; omnid starts with the first connection."""
    processes = []

    def start(*flags, mode=0o600, directory=None):
        lab = new_lab(control_planes=1, workers=0)
        directory = directory or lab.directory
        process = subprocess.Popen(
            ["systemd-socket-activate", "-l", directory / "omnid.sock", *lab.serve(*flags)], stderr=lab.omnid_log)
        processes.append(process)
        eventually(lambda: (directory / "omnid.sock").exists())
        # systemd-socket-activate leaves it open for everybody; a unit says SocketMode=.
        (directory / "omnid.sock").chmod(mode)
        return lab, process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_a_call_made_before_omnid_runs_is_answered_and_the_socket_stays(activated):
    lab, process = activated()
    assert "serving" not in lab.log()
    assert not lab.call("ListClusters").clusters
    assert stat.S_IMODE(lab.socket.stat().st_mode) == 0o600
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert lab.socket.exists(), "the socket is the service manager's"


def test_callers_wait_for_the_next_omnid_on_the_same_socket(new_lab):
    """As systemd does it: the socket stays open from one omnid to the next."""
    lab = new_lab(control_planes=1, workers=0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(lab.socket))
        lab.socket.chmod(0o600)
        listener.listen(16)
        for _ in range(2):
            command = 'exec 3<&"$0"; exec env LISTEN_FDS=1 LISTEN_PID=$$ "$@"'
            lab.omnid = subprocess.Popen(["bash", "-c", command, str(listener.fileno()), *lab.serve()],
                                         stderr=lab.omnid_log, pass_fds=[listener.fileno()])
            eventually(lab.is_serving)
            assert lab.stop() == 0
            # Nobody serves it now: a connection waits and is not refused.
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(lab.socket))


def test_a_socket_that_everybody_may_open_is_refused(activated):
    lab, process = activated(mode=0o666)
    lab.omnictl("--timeout", "2s", "cluster", "list")
    assert process.wait(30) == 1
    lab.logged("SocketMode=0600")


def test_a_socket_that_omnid_was_not_told_of_is_refused(activated, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    lab, process = activated(directory=other)
    lab.omnictl("--endpoint", f"unix:{other}/omnid.sock", "--timeout", "2s", "cluster", "list")
    assert process.wait(30) == 1
    lab.logged(f"add --listen unix:{other}/omnid.sock")
