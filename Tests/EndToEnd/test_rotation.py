"""Both CAs of a five-machine cluster, rotated over the Unix socket by an official grpcio client."""

import time

import grpc
import pytest

import wire
from lab import eventually, fingerprints


@pytest.fixture(params=["legacy", "multidoc"])
def lab(request, new_lab):
    lab = new_lab(pace="brisk", layout=request.param).start()
    lab.import_cluster()
    return lab


def name(message, field):
    """The name of an enum field's value."""
    return message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[
        getattr(message, field)].name


def check_order(lab, statuses):
    """Stage by stage, control planes first and one at a time, revisions strictly rising."""
    revisions = [status.revision for status in statuses]
    assert all(a < b for a, b in zip(revisions, revisions[1:])), revisions
    running = [status for status in statuses if name(status, "state") == "ROTATION_STATE_RUNNING"]
    phases = [name(status, "phase") for status in running]
    expected = ["ROTATION_PHASE_PRE_ROTATE", "ROTATION_PHASE_ROTATE", "ROTATION_PHASE_POST_ROTATE"]
    assert [phase for i, phase in enumerate(phases) if phases[:i][-1:] != [phase]] == expected
    for phase in expected:
        done = []
        for status in (status for status in running if name(status, "phase") == phase):
            states = {m.machine: name(m, "state").removeprefix("MACHINE_ROTATION_STATE_")
                      for m in status.machines}
            assert all(name(m, "phase") == phase for m in status.machines)
            planes = [states.get(node.name, "PENDING") for node in lab.control_planes]
            workers = [states.get(node.name, "PENDING") for node in lab.workers]
            in_work = [state for state in planes if state not in ("PENDING", "DONE")]
            assert len(in_work) <= 1, states
            if any(state != "DONE" for state in planes):
                assert set(workers) <= {"PENDING"}, states
            finished = [machine for machine, state in states.items() if state == "DONE"]
            assert status.machines_done == len(finished)
            assert set(done) <= set(finished), "a machine that was done is so no more"
            done += [machine for machine in finished if machine not in done]
            if status.machines_total:
                short = phase.removeprefix("ROTATION_PHASE_")
                assert status.status == f"rotation phase {short} {len(finished)}/5"
        assert set(done[:3]) == {node.name for node in lab.control_planes}
        assert set(done) == {node.name for node in lab.nodes}


def rotate_and_watch(lab, component):
    """Rotates with two watchers and one that comes late; returns the last status."""
    with lab.watch(cluster=lab.name) as first, lab.watch(cluster="", stop_when_idle=False) as second:
        eventually(lambda: first.statuses and second.statuses)
        before = first.statuses[-1].revision
        ticket = lab.rotate(component, reason="a drill", request_id=f"drill {component}")
        assert not ticket.attached
        assert ticket.status.requester.startswith("uid:")
        first.until(lambda s: s.revision > before
                    and name(s, "phase") == "ROTATION_PHASE_ROTATE" and s.machines_done == 2)
        with lab.watch(cluster=lab.name, stop_when_idle=True) as late:
            late.join()
            assert late.error is None
            for watch in (first, second):
                watch.until(lambda s: s.revision == late.statuses[-1].revision)
            check_order(lab, [s for s in first.statuses if s.revision > before])
            last = late.statuses[-1]
            assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
            assert first.statuses[-1] == second.statuses[-1] == last == lab.status()
            assert last.rotation_id == ticket.status.rotation_id
            assert last.reason == "a drill"
            assert (last.machines_done, last.machines_total) == (5, 5)
            assert last.started_at.seconds <= last.updated_at.seconds == last.finished_at.seconds
            assert abs(last.finished_at.seconds - time.time()) < 60
    return last


def test_both_authorities(lab):
    old_talos = wire.Credential.from_talosconfig(lab.talosconfig)
    old_kubernetes = wire.Credential.from_kubeconfig(lab.kubeconfig)
    for node in lab.nodes:
        lab.version(node, old_talos)
    for node in lab.control_planes:
        lab.api_servers_nodes(node, old_kubernetes)
    imported = lab.call("GetCluster", cluster=lab.name).cluster
    assert [imported.talos_ca_fingerprint] == fingerprints(old_talos.authorities)
    assert [imported.kubernetes_ca_fingerprint] == fingerprints(old_kubernetes.authorities)

    talos = rotate_and_watch(lab, "TALOS_CA")
    fresh, kubernetes_still = lab.fresh_credentials()
    assert talos.old_ca_fingerprint == imported.talos_ca_fingerprint
    assert fingerprints(fresh.authorities) == [talos.new_ca_fingerprint]
    for node in lab.nodes:
        with pytest.raises((wire.Refused, ConnectionError)):
            lab.version(node, old_talos, verify=False)
        lab.version(node, fresh)
        # Through the proxy too, as Talos' own client asks.
        assert lab.accepted_talos(node, fresh) == {talos.new_ca_fingerprint}
    for node in lab.control_planes:
        lab.api_servers_nodes(node, kubernetes_still)

    kubernetes = rotate_and_watch(lab, "KUBERNETES_CA")
    talos_still, fresh = lab.fresh_credentials()
    assert kubernetes.old_ca_fingerprint == imported.kubernetes_ca_fingerprint
    assert fingerprints(fresh.authorities) == [kubernetes.new_ca_fingerprint]
    for node in lab.control_planes:
        with pytest.raises(wire.Refused, match="HTTP 401"):
            lab.api_servers_nodes(node, old_kubernetes, verify=False)
        lab.api_servers_nodes(node, fresh)
    for node in lab.nodes:
        assert lab.accepted_kubernetes(node, talos_still) == {kubernetes.new_ca_fingerprint}
        assert lab.accepted_talos(node, talos_still) == {talos.new_ca_fingerprint}

    history = lab.call("ListRotations", cluster=lab.name).rotations
    assert [rotation.rotation_id for rotation in history] == [
        kubernetes.rotation_id, talos.rotation_id]
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    assert cluster.talos_ca_fingerprint == talos.new_ca_fingerprint
    assert cluster.kubernetes_ca_fingerprint == kubernetes.new_ca_fingerprint
    assert "PRIVATE KEY" not in lab.log()


def test_one_rotation_at_a_time(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    plan = lab.rotate(dry_run=True)
    assert not lab.status().rotation_id
    assert [step.control_plane for step in plan.plan.steps] == [True, False] * 3
    first = lab.rotate_without(lab.control_planes[0].name, request_id="once")
    assert not first.attached
    again = lab.rotate(request_id="once")
    assert again.status.rotation_id == first.status.rotation_id and not again.attached
    attached = lab.rotate()
    assert attached.attached and attached.status.rotation_id == first.status.rotation_id
    with pytest.raises(grpc.RpcError) as caught:
        lab.rotate("KUBERNETES_CA")
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    failure = lab.details(caught.value, "PreconditionFailure")[0]
    assert [violation.type for violation in failure.violations] == ["ROTATION_IN_PROGRESS"]
    with pytest.raises(grpc.RpcError) as caught:
        lab.call("ForgetCluster", cluster=lab.name)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    lab.switch(lab.control_planes[0].name, "start")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    repeated = lab.rotate(request_id="once")
    assert repeated.status.rotation_id == first.status.rotation_id
    assert len(lab.call("ListRotations", cluster=lab.name).rotations) == 1


@pytest.mark.parametrize("role", ["control plane", "worker"])
def test_machine_that_is_down(new_lab, role):
    lab = new_lab().start()
    lab.import_cluster()
    down = (lab.control_planes[1] if role == "control plane" else lab.workers[0]).name
    lab.rotate_without(down)

    def waited_for(status):
        return next((m for m in status.machines if m.machine == down
                     and name(m, "state") == "MACHINE_ROTATION_STATE_WAITING"), None)

    with lab.watch(cluster=lab.name) as watch:
        status = watch.until(waited_for)
        machine = waited_for(status)
        assert name(status, "state") == "ROTATION_STATE_RUNNING"
        assert down in status.step and status.error
        assert machine.last_error
        assert abs(machine.waiting_since.seconds - time.time()) < 60
        assert machine.HasField("next_attempt_at")
        assert any(name(check, "state") == "ROTATION_CHECK_STATE_FAILED" and check.since.seconds
                   for check in machine.checks), machine
        # It is waited for, and nobody goes past it.
        time.sleep(1)
        later = lab.status()
        assert name(later, "phase") == "ROTATION_PHASE_PRE_ROTATE"
        assert waited_for(later).waiting_since == machine.waiting_since
        # omnid may come and go meanwhile.
        assert lab.stop() == 0
        lab.start()
        lab.switch(down, "start")
        last = lab.finish()
        assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
        assert not any(m.HasField("waiting_since") for m in last.machines)
