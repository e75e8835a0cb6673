"""A rotation that is aborted after it has touched machines goes back to the old CA."""

import signal

import pytest

import wire
from lab import eventually, fingerprints
from test_other_actors import is_in, states
from test_rotation import name


def check_as_before(lab, before, status):
    """The old credentials work everywhere, and no machine accepts the new CA."""
    talos = wire.Credential.from_talosconfig(lab.talosconfig)
    kubernetes = wire.Credential.from_kubeconfig(lab.kubeconfig)
    for node in lab.nodes:
        lab.version(node, talos)
        assert lab.accepted_talos(node, talos) == {before.talos_ca_fingerprint}
        assert lab.accepted_kubernetes(node, talos) == {before.kubernetes_ca_fingerprint}
    for node in lab.control_planes:
        lab.api_servers_nodes(node, kubernetes)
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    assert cluster.talos_ca_fingerprint == before.talos_ca_fingerprint
    assert cluster.kubernetes_ca_fingerprint == before.kubernetes_ca_fingerprint
    fresh = lab.fresh_credentials()
    assert fingerprints(fresh[0].authorities) == [before.talos_ca_fingerprint]
    for node in lab.control_planes:
        lab.version(node, fresh[0])
        lab.api_servers_nodes(node, fresh[1])
    assert status.new_ca_fingerprint not in (
        before.talos_ca_fingerprint, before.kubernetes_ca_fingerprint)


@pytest.mark.parametrize("component", ["TALOS_CA", "KUBERNETES_CA"])
@pytest.mark.parametrize("phase", ["PRE_ROTATE", "ROTATE"])
def test_it_goes_back_from_wherever_it_is_and_a_killed_omnid_goes_on_with_that(new_lab, component, phase):
    lab = new_lab(pace="brisk").start()
    before = lab.import_cluster()
    lab.rotate(component)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: is_in(s, phase) and s.machines_done == 2)
    left = lab.secret_rotate("abort", "--wait=false")
    assert left.returncode == 0 and "follow it" in left.stdout, left
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_ABORTING"
    assert status.status.startswith(f"aborting, undoing phase {phase} "), status.status
    lab.stop(signal.SIGKILL)
    lab.start()
    # Asked once more, the way back is followed to its end.
    followed = lab.secret_rotate("abort")
    assert followed.returncode == 0, followed
    last = lab.finish()
    assert name(last, "state") == "ROTATION_STATE_ABORTED"
    assert last.status == "rotation aborted" and len(last.next_steps) == 2, last
    assert any(note.startswith("aborted by uid:") for note in last.notes), last.notes
    check_as_before(lab, before, last)
    # The next rotation begins as if nothing had been.
    lab.rotate(component)
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_once_machines_refuse_the_old_ca_there_is_no_way_back(new_lab):
    lab = new_lab(pace="brisk").start()
    lab.import_cluster()
    lab.faults(lab.workers[0].name, latencyMilliseconds=100)
    lab.rotate()
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: is_in(s, "POST_ROTATE") and s.machines_done == 1)
    refused = lab.secret_rotate("abort")
    assert refused.returncode == 3 and "start another rotation" in refused.stderr, refused
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_a_machine_that_is_gone_does_not_keep_the_rest_from_going_back(new_lab):
    lab = new_lab().start()
    before = lab.import_cluster()
    first, gone = lab.control_planes[0].name, lab.control_planes[1].name
    lab.rotate_without(gone)
    eventually(lambda: states(lab.status()).get(gone) == "WAITING")
    assert states(lab.status()).get(first) == "DONE"
    aborted = lab.secret_rotate("abort")
    assert aborted.returncode == 0, aborted
    assert "what comes next" in aborted.stdout, aborted.stdout
    last = lab.status()
    assert name(last, "state") == "ROTATION_STATE_ABORTED"
    talos = wire.Credential.from_talosconfig(lab.talosconfig)
    for node in (lab.control_planes[0], lab.control_planes[2], *lab.workers):
        lab.version(node, talos)
        assert lab.accepted_talos(node, talos) == {before.talos_ca_fingerprint}
