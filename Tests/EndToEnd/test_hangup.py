"""The terminal that omnid was started from goes away: SIGHUP, and every write to it fails."""

import fcntl
import os
import pty
import signal
import subprocess
import termios

import pytest
from lab import eventually


def serve_from(lab, terminal, log, ignored):
    """omnid as the leader of a session whose terminal this is, as a shell that `exec`s it has it."""

    def settle():
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        if ignored:
            # What nohup does.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    lab.omnid = subprocess.Popen(
        lab.serve(), stdin=terminal, stdout=terminal, stderr=terminal if log is None else log,
        start_new_session=True, preexec_fn=settle)
    eventually(lab.is_serving)


@pytest.mark.parametrize("ignored", [False, True], ids=["hangup", "nohup"])
@pytest.mark.parametrize("log_stays", [True, False], ids=["log-elsewhere", "log-on-the-terminal"])
def test_a_terminal_that_closes_ends_no_rotation(new_lab, log_stays, ignored):
    lab = new_lab(control_planes=1, workers=1)
    ours, terminal = pty.openpty()
    try:
        serve_from(lab, terminal, lab.omnid_log if log_stays else None, ignored)
        lab.import_cluster()
        worker = lab.workers[0].name
        lab.rotate_without(worker)
    finally:
        os.close(terminal)
        os.close(ours)
    if log_stays and not ignored:
        eventually(lambda: "because of SIGHUP" in lab.log())
    # It serves, and goes on logging, to wherever nobody reads it any more.
    for _ in range(20):
        assert lab.status().state == lab.stubs.management.ROTATION_STATE_RUNNING
    lab.switch(worker, "start")
    assert lab.finish().state == lab.stubs.management.ROTATION_STATE_SUCCEEDED
    if log_stays:
        eventually(lambda: "succeeded" in lab.log().lower())
    assert lab.stop() == 0
