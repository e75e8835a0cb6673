"""A cluster or a machine that is locked is not changed, whoever restarts in between."""

import signal

import grpc
import pytest

from lab import eventually
from test_other_actors import is_in, states
from test_rotation import name


def is_paused(lab):
    return name(lab.status(), "state") == "ROTATION_STATE_PAUSED"


def test_a_locked_cluster_is_paused_through_a_kill_and_goes_on_when_it_is_unlocked(new_lab):
    lab = new_lab(pace="brisk").start()
    lab.import_cluster()
    lab.rotate("KUBERNETES_CA")
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: is_in(s, "PRE_ROTATE") and s.machines_done == 1)
    locked = lab.omnictl("cluster", "lock", lab.name, "--reason", "change window")
    assert locked.returncode == 0 and "change window" in locked.stdout, locked
    eventually(lambda: is_paused(lab), 60)
    lab.stop(signal.SIGKILL)
    lab.start()
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_PAUSED"
    assert status.lock.locked_by.startswith("uid:") and status.lock.reason == "change window"
    assert status.lock.locked_at.seconds > 0
    shown = lab.secret_rotate("status", "--wait=false")
    said = " ".join(shown.stdout.split())
    assert "PAUSED" in said and "change window" in said and "cluster unlock demo" in said, shown.stdout
    assert lab.omnictl("cluster", "unlock", lab.name).returncode == 0
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_a_locked_machine_keeps_a_rotation_from_starting_and_from_going_on(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    worker = lab.workers[1].name
    lock = ("cluster", "-n", lab.name, "machine")
    assert lab.omnictl(*lock, "lock", worker, "--reason", "disk is being replaced").returncode == 0
    refused = lab.secret_rotate("talos-ca")
    assert refused.returncode == 3 and "disk is being replaced" in refused.stderr, refused
    with pytest.raises(grpc.RpcError) as error:
        lab.rotate()
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    violations = lab.details(error.value, "PreconditionFailure")[0].violations
    assert [violation.type for violation in violations] == ["LOCKED"]
    assert lab.omnictl(*lock, "unlock", worker).returncode == 0
    missing = lab.omnictl(*lock, "lock", "nobody")
    assert missing.returncode == 5 and "list its machines" in missing.stderr, missing
    lab.faults(lab.control_planes[0].name, latencyMilliseconds=100)
    lab.rotate()
    assert lab.omnictl(*lock, "lock", worker).returncode == 0
    lab.faults(lab.control_planes[0].name)
    eventually(lambda: is_paused(lab), 60)
    assert states(lab.status())[worker] == "WAITING"
    assert lab.status().machines_done == 4
    assert lab.omnictl(*lock, "unlock", worker).returncode == 0
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_a_soak_waits_before_post_rotate_until_it_is_continued(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    begun = lab.secret_rotate("talos-ca", "--soak-until-continued", "--wait=false")
    assert begun.returncode == 0, begun
    eventually(lambda: is_paused(lab), 60)
    status = lab.status()
    assert is_in(status, "ROTATE") and status.machines_done == 5
    shown = lab.secret_rotate("status", "--wait=false")
    assert "secret rotate continue" in " ".join(shown.stdout.split()), shown.stdout
    continued = lab.secret_rotate("continue")
    assert continued.returncode == 0, continued
    assert name(lab.status(), "state") == "ROTATION_STATE_SUCCEEDED"
    both = lab.secret_rotate("talos-ca", "--soak", "1h", "--soak-until-continued")
    assert both.returncode == 2 and "choose one" in both.stderr, both
    assert lab.secret_rotate("continue").returncode == 3
    lab.secret_rotate("talos-ca", "--soak", "2s")
    assert name(lab.status(), "state") == "ROTATION_STATE_SUCCEEDED"
