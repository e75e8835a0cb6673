"""What an omnid whose store is lost, or another tool, has left half done is taken over."""

import json
import shutil
import signal
import time

import pytest
from lab import eventually
from roots import Root, edit, present
from test_rotation import name


def lose_the_store(lab, status, component, at):
    """Kills omnid as soon as the condition holds of a status, and throws its state directory away."""
    lab.import_cluster()
    # Which CA is the new one tells its age, in whole seconds.
    time.sleep(1.1)
    with lab.watch(cluster=lab.name) as watch:
        lab.rotate(component)
        watch.until(status, 300)
    lab.stop(signal.SIGKILL)
    shutil.rmtree(lab.state)
    lab.start()


def in_phase(phase, done):
    return lambda status: (name(status, "phase") == f"ROTATION_PHASE_{phase}"
                           and status.machines_done >= done)


def adopt(lab, *flags, seconds=240):
    path = lab.directory / "cluster/talosconfig"
    return lab.omnictl("cluster", "adopt", lab.name, "--talosconfig", path, *flags,
                       seconds=seconds)


def accepted(lab, component):
    """What every machine accepts, as its configuration and its secrets say."""
    talos = lab.fresh_credentials()[0]
    read = lab.accepted_talos if component == "TALOS_CA" else lab.accepted_kubernetes
    return [read(node, talos) for node in lab.nodes]


@pytest.mark.parametrize("component", ["TALOS_CA", "KUBERNETES_CA"])
def test_a_rotation_whose_store_is_lost_in_rotate_is_finished_from_the_machines_alone(
        new_lab, component):
    lab = new_lab().start()
    lose_the_store(lab, in_phase("ROTATE", 1), component, 1)
    refused = lab.omnictl("cluster", "import", lab.name, "--talosconfig",
                          lab.directory / "cluster/talosconfig")
    assert refused.returncode in (1, 3, 6) and "cluster adopt" in refused.stderr, refused
    unknown = lab.secret_rotate("adopt")
    assert unknown.returncode == 5 and "--talosconfig" in unknown.stderr, unknown

    plan = adopt(lab, "--dry-run")
    assert plan.returncode == 0, plan
    assert "was not finished" in plan.stdout and "It is finished: ROTATE" in plan.stdout
    assert "after PRE-ROTATE" in plan.stdout and "after ROTATE" in plan.stdout, plan.stdout
    assert "PRIVATE" not in plan.stdout
    assert lab.omnictl("cluster", "list").stdout.count(lab.name) == 0

    done = adopt(lab)
    assert done.returncode == 0, done
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_SUCCEEDED" and status.adopted
    assert accepted(lab, component) == [{status.new_ca_fingerprint}] * 5
    report = lab.secret_rotate("proof").stdout
    assert "taken over" in report and "machines have refused a client" in report, report
    marks = [mark.name for mark in lab.call("GetCluster", cluster=lab.name).cluster.marks]
    assert "tainted-by-importing" in marks
    # Once more, for nothing.
    again = lab.secret_rotate("adopt")
    assert again.returncode == 0 and "nothing was left half done" in again.stdout, again


def test_a_rotation_whose_store_is_lost_can_be_taken_back(new_lab):
    lab = new_lab().start()
    lose_the_store(lab, in_phase("ROTATE", 1), "TALOS_CA", 1)
    done = adopt(lab, "--roll-back")
    assert done.returncode == 0, done
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_ABORTED"
    assert accepted(lab, "TALOS_CA") == [{status.old_ca_fingerprint}] * 5
    assert lab.secret_rotate("talos-ca").returncode == 0


def test_in_pre_rotate_nobody_has_the_new_key_and_it_is_taken_out_again(new_lab):
    lab = new_lab().start()
    lose_the_store(lab, in_phase("PRE_ROTATE", 2), "TALOS_CA", 2)
    plan = adopt(lab, "--dry-run").stdout
    assert "It is taken back from PRE-ROTATE" in plan and "cannot be finished" in plan, plan
    done = adopt(lab)
    assert done.returncode == 0, done
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_ABORTED"
    assert accepted(lab, "TALOS_CA") == [{status.old_ca_fingerprint}] * 5


def test_what_another_tool_has_rotated_since_the_import_is_taken_over_with_a_talosconfig(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    other = lab.another()
    try:
        other.import_cluster()
        for component in ("TALOS_CA", "KUBERNETES_CA"):
            other.rotate(component)
            assert name(other.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
        fresh = lab.directory / "fresh"
        fresh.write_text(other.call("Talosconfig", cluster=lab.name).talosconfig)
        talos, kubernetes = (
            other.call("GetRotationStatus", cluster=lab.name).status.new_ca_fingerprint,
            other.call("GetCluster", cluster=lab.name).cluster.talos_ca_fingerprint)
    finally:
        other.stop()
    # What was found to be current is believed for a few seconds.
    issued = eventually(lambda: next(
        (tried for tried in [lab.omnictl("cluster", "-n", lab.name, "talosconfig")]
         if tried.returncode), None))
    assert issued.returncode == 3 and "cluster adopt" in issued.stderr, issued
    without = lab.secret_rotate("adopt")
    assert without.returncode in (3, 6) and "--talosconfig" in without.stderr, without
    done = lab.omnictl("cluster", "adopt", lab.name, "--talosconfig", fresh, seconds=240)
    assert done.returncode == 0, done
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    assert {cluster.talos_ca_fingerprint, cluster.kubernetes_ca_fingerprint} == {talos, kubernetes}
    history = lab.call("ListRotations", cluster=lab.name).rotations
    assert len(history) == 2 and all(
        name(status, "state") == "ROTATION_STATE_SUCCEEDED" and status.adopted
        for status in history)
    assert lab.omnictl("cluster", "-n", lab.name, "kubeconfig").returncode == 0


def test_a_worker_whose_configuration_is_put_back_whole_is_healed(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    names = [worker.name for worker in lab.workers]
    before = {node: lab.control_call("GET", f"nodes/{node}/config") for node in names}
    lab.rotate("TALOS_CA")
    first = lab.finish()
    for node in names:
        lab.control_call("POST", f"nodes/{node}/write", before[node])
    eventually(lambda: len(lab.status().returned_cas) == 2, 90)
    assert "secret rotate adopt --heal" in lab.status().returned_cas[0].detail
    done = lab.secret_rotate("adopt", "--heal", seconds=240)
    assert done.returncode == 0, (done, lab.secret_rotate("status", "--wait=false").stdout)
    assert not lab.status().returned_cas
    assert accepted(lab, "TALOS_CA") == [{first.new_ca_fingerprint}] * 5


def test_a_control_plane_that_shows_a_retired_ca_is_sent_no_key(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    plane = lab.control_planes[2].name
    before = lab.control_call("GET", f"nodes/{plane}/config")
    lab.rotate("TALOS_CA")
    lab.finish()
    present = lab.control_call("GET", f"nodes/{plane}/config")
    lab.control_call("POST", f"nodes/{plane}/write", before)
    refused = eventually(lambda: next(
        (tried for tried in [lab.secret_rotate("adopt", "--heal")] if tried.returncode), None))
    assert refused.returncode == 3 and "no key is sent to it" in refused.stderr, refused
    assert lab.control_call("GET", f"nodes/{plane}/config").strip() == before.strip()
    # The way out is a person's.
    lab.control_call("POST", f"nodes/{plane}/write", present)
    eventually(lambda: lab.secret_rotate("adopt", "--heal").returncode == 0)


def settled(lab):
    """Waits until every machine that is up lives by its configuration."""
    eventually(lambda: all(node["settled"] for node in
                           json.loads(lab.control_call("GET", "nodes"))["nodes"]), 60)


def test_a_kubernetes_ca_that_cannot_be_told_apart_does_not_keep_the_talos_ca_from_being_finished(new_lab):
    lab = new_lab().start()
    lose_the_store(lab, in_phase("ROTATE", 1), "TALOS_CA", 1)
    first = present(lab, lab.control_planes[0], "KUBERNETES_CA")
    # Two more CAs, of which one may be an intruder's: three control planes issue from three.
    others = [Root("KUBERNETES_CA").pair, Root("KUBERNETES_CA").pair]
    for node, issuing in zip(lab.nodes, [first, *others, None, None]):
        edit(lab, node, "KUBERNETES_CA", [first, *others], issuing)
    configured = [present(lab, node, "KUBERNETES_CA") for node in lab.control_planes]

    plan = adopt(lab, "--dry-run")
    assert plan.returncode == 0, plan
    said = " ".join(plan.stdout.split())
    assert "It is finished: ROTATE" in said and "kubernetes-ca cannot be told apart" in said, said
    assert "an intruder has made one of them" in said and "by hand" in said, said

    done = adopt(lab)
    said = " ".join(done.stderr.split())
    assert done.returncode == 3 and "kubernetes-ca cannot be told apart" in said, done
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_SUCCEEDED" and status.adopted
    assert name(status, "component") == "SECRET_COMPONENT_TALOS_CA"
    assert any("kubernetes-ca cannot be told apart" in note for note in status.notes), status
    # It is left alone, and neither forgotten nor begun.
    assert [present(lab, node, "KUBERNETES_CA") for node in lab.control_planes] == configured
    shown = lab.omnictl("cluster", "get", lab.name).stdout
    assert "unclear-ca" in shown, shown
    for refused in (lab.secret_rotate("kubernetes-ca", "--yes"), lab.secret_rotate("adopt"),
                    lab.omnictl("cluster", "-n", lab.name, "kubeconfig")):
        assert refused.returncode == 3 and "told apart" in " ".join(refused.stderr.split()), refused

    # A person has all issue from the first one again.
    for node in lab.nodes:
        edit(lab, node, "KUBERNETES_CA", [], first if node.control_plane else None)
    settled(lab)
    mended = lab.secret_rotate("adopt")
    assert mended.returncode == 0 and "nothing was left half done" in mended.stdout, mended
    assert "unclear-ca" not in lab.omnictl("cluster", "get", lab.name).stdout
    assert lab.secret_rotate("kubernetes-ca", "--yes", seconds=240).returncode == 0
    assert accepted(lab, "KUBERNETES_CA") == [{lab.status().new_ca_fingerprint}] * 5


def test_the_talos_ca_is_taken_over_although_no_api_server_can_be_asked(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    gone = Root("TALOS_CA")
    others = [Root("KUBERNETES_CA").pair for _ in range(3)]
    for node, issuing in zip(lab.nodes, [*others, None, None]):
        edit(lab, node, "TALOS_CA", [gone.pair])
        edit(lab, node, "KUBERNETES_CA", others, issuing)
    settled(lab)
    done = lab.secret_rotate("adopt", seconds=100)
    said = " ".join(done.stderr.split())
    assert done.returncode == 3 and "kubernetes-ca cannot be told apart" in said, done
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_ABORTED"
    assert any("nodes could not be compared" in note for note in status.notes), status
    assert [present(lab, node, "KUBERNETES_CA") for node in lab.control_planes] == others


def test_a_new_talos_ca_that_has_expired_is_taken_out_again(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    gone = Root("TALOS_CA", seconds=-60)
    for node in lab.nodes:
        edit(lab, node, "TALOS_CA", [gone.pair])
    taken_back(lab, "TALOS_CA", gone, "PRE-ROTATE")


def test_a_new_kubernetes_ca_that_has_expired_while_machines_issue_from_it_is_taken_back(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    first = present(lab, lab.control_planes[0], "KUBERNETES_CA")
    gone = Root("KUBERNETES_CA", seconds=20)
    ends = time.monotonic() + 21
    for node in lab.nodes:
        edit(lab, node, "KUBERNETES_CA", [gone.pair])
    # Two of three: neither is kept waiting by the other, whose API server serves nobody any more.
    for node in lab.control_planes[:2]:
        edit(lab, node, "KUBERNETES_CA", [first], gone.pair)
    time.sleep(max(0, ends - time.monotonic()))
    taken_back(lab, "KUBERNETES_CA", gone, "ROTATE")
    assert present(lab, lab.control_planes[0], "KUBERNETES_CA") == first
    assert lab.secret_rotate("kubernetes-ca", "--yes", seconds=240).returncode == 0


def taken_back(lab, component, gone, phase):
    """A rotation whose new CA has expired is refused to be finished, with the date, and goes back."""
    plan = lab.secret_rotate("adopt", "--dry-run")
    said = " ".join(plan.stdout.split())
    assert plan.returncode == 0 and f"It is taken back from {phase}" in said, plan
    assert "it cannot be finished: CA" in said and "expired on 20" in said, said
    done = lab.secret_rotate("adopt", seconds=240)
    assert done.returncode == 0, (done, lab.status())
    status = lab.status()
    assert name(status, "state") == "ROTATION_STATE_ABORTED" and status.adopted
    assert status.new_ca_fingerprint == gone.fingerprint
    assert accepted(lab, component) == [{status.old_ca_fingerprint}] * 5
    report = lab.secret_rotate("proof").stdout
    assert gone.fingerprint in report, report
    assert not lab.call("GetCluster", cluster=lab.name).cluster.warnings
