"""Somebody else is at the machines too: a kubelet at its own pace, another writer, an intruder, a person."""

import json
import signal
import threading

import pytest

import wire
from lab import eventually
from probe import Probe
from test_rotation import name


def states(status):
    """The machines' states, by name."""
    return {m.machine: name(m, "state").removeprefix("MACHINE_ROTATION_STATE_")
            for m in status.machines}


def is_in(status, phase):
    return name(status, "phase") == f"ROTATION_PHASE_{phase}"


def accept_foreign(lab, machine, component="talos"):
    """An intruder's CA in the machine's accepted list; its fingerprint as omnid shows it."""
    answer = lab.control_call("POST", f"nodes/{machine}/foreign-ca?component={component}")
    return json.loads(answer)["fingerprint"]


def shown(fingerprint):
    """The beginning of a fingerprint, by which it is shown."""
    return fingerprint.removeprefix("sha256:")[:12]


@pytest.fixture
def lab(new_lab):
    lab = new_lab(pace="brisk").start()
    lab.import_cluster()
    return lab


# The kubelet's pace


def stages(arrivals):
    """For each phase, and each machine in it: when it was begun, and when it was done."""
    seen = {}
    for when, status in arrivals:
        for machine, state in states(status).items():
            begun, done = seen.setdefault(name(status, "phase"), {}).get(machine, (None, None))
            if begun is None and state != "PENDING":
                begun = when
            if done is None and state == "DONE":
                done = when
            seen[name(status, "phase")][machine] = (begun, done)
    return seen


def check_outages(lab, probe, arrivals, seen_all):
    """No two API servers are down at once, and none is passed before it is back from its restart.

    seen_all: whether restarts take so long that the probe has seen every one.
    """
    planes = [node.name for node in lab.control_planes]
    for phase, machines in stages(arrivals).items():
        for plane in planes:
            begun, done = machines[plane]
            within = [outage for outage in probe.outages[plane] if begun <= outage.begin <= done]
            assert within or not seen_all, f"{plane} was done in {phase} before its restart"
            assert all(outage.last <= done for outage in within), (phase, plane)
        # Whoever holds a lease goes last, so their order differs.
        turns = sorted(machines[plane] for plane in planes)
        for (_, done), (begun, _) in zip(turns, turns[1:]):
            assert done <= begun, (phase, turns)
    assert all(outage.end for plane in planes for outage in probe.outages[plane])
    outages = sorted((outage.begin, outage.last, plane) for plane in planes
                     for outage in probe.outages[plane])
    assert outages
    for (_, last, one), (begin, _, other) in zip(outages, outages[1:]):
        assert last < begin, f"the API servers of {one} and {other} were down at once"
    # One for each edit at most: nothing is down between two stages.
    assert len(outages) <= 9, outages
    assert len(outages) == 9 or not seen_all, outages


def restarts(node, credential):
    """How often the API server of a control plane has been restarted."""
    pod = wire.kubernetes_get(
        node.address, node.kubernetes_port, credential.context(),
        f"/api/v1/namespaces/kube-system/pods/kube-apiserver-{node.name}")
    return json.loads(pod)["status"]["containerStatuses"][0]["restartCount"]


# The real pace has the figures of real machines: a kubelet takes its time before it restarts anything.
@pytest.mark.parametrize("pace", ["brisk", "real"])
def test_one_api_server_at_a_time(new_lab, pace):
    lab = new_lab(pace=pace).start()
    lab.import_cluster()
    before = wire.Credential.from_kubeconfig(lab.kubeconfig)
    first = [restarts(node, before) for node in lab.control_planes]

    def restarted(credential):
        return [restarts(node, credential) - count
                for node, count in zip(lab.control_planes, first)]

    with Probe(lab.control_planes, before) as probe, lab.watch(cluster=lab.name) as watch:
        lab.rotate("KUBERNETES_CA")
        watch.until(lambda s: is_in(s, "ROTATE"), seconds=600)
        assert min(restarted(before)) >= 1, "a stage has not waited for its restarts"
        # It knows both CAs, and every API server knows its CA by now.
        fresh = lab.fresh_credentials()[1]
        probe.use(before, fresh)
        watch.until(lambda s: is_in(s, "POST_ROTATE"), seconds=600)
        fresh = lab.fresh_credentials()[1]
        probe.use(fresh)
        assert min(restarted(fresh)) >= 2, "a stage has not waited for its restarts"
        last = watch.until(lambda s: name(s, "state") == "ROTATION_STATE_SUCCEEDED", seconds=600)
        assert restarted(lab.fresh_credentials()[1]) == [3, 3, 3]
    arrivals = [(when, s) for when, s in watch.arrivals if s.rotation_id == last.rotation_id]
    check_outages(lab, probe, arrivals, seen_all=pace == "real")
    # The machine that this runs on may have been busy, but not so busy that nothing was seen.
    assert min(probe.count.values()) > last.elapsed.seconds


def test_killed_between_the_edit_of_a_control_plane_and_its_restart(lab):
    plane = lab.control_planes[1].name
    lab.faults(plane, kubeletLookDelaySeconds=4)
    started = lab.rotate("KUBERNETES_CA").status
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: states(s).get(plane) == "VERIFYING")
        lab.stop(signal.SIGKILL)
    node = lab.control_planes[1]
    kubernetes = wire.Credential.from_kubeconfig(lab.kubeconfig)
    before = restarts(node, kubernetes)
    lab.start()
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: states(s).get(plane) == "DONE")
        assert restarts(node, kubernetes) == before + 1, "it was called done before its restart"
    lab.faults(plane)
    last = lab.finish()
    assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
    assert last.rotation_id == started.rotation_id
    assert last.new_ca_fingerprint == started.new_ca_fingerprint
    talos, _ = lab.fresh_credentials()
    for node in lab.nodes:
        assert lab.accepted_kubernetes(node, talos) == {started.new_ca_fingerprint}


# A CA that is neither old nor new


def test_a_foreign_ca_is_refused_and_named_and_goes_on_request(lab):
    plane = lab.control_planes[2].name
    foreign = accept_foreign(lab, plane)
    for arguments in (["--dry-run"], []):
        refused = lab.secret_rotate("talos-ca", *arguments)
        assert refused.returncode == 3, refused
        assert shown(foreign) in refused.stderr and plane in refused.stderr, refused.stderr
        assert "--remove-foreign" in refused.stderr
    assert not lab.status().rotation_id
    ended = lab.secret_rotate("talos-ca", "--remove-foreign")
    assert ended.returncode == 0, ended
    last = lab.status()
    assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
    talos, _ = lab.fresh_credentials()
    for node in lab.nodes:
        assert lab.accepted_talos(node, talos) == {last.new_ca_fingerprint}


@pytest.mark.parametrize("component", ["talos", "kubernetes"])
def test_a_foreign_ca_that_comes_in_mid_rotation_is_waited_for(lab, component):
    plane, later = lab.control_planes[0].name, lab.control_planes[2].name
    lab.faults(later, latencyMilliseconds=400)
    word = f"{component}-ca"
    assert lab.secret_rotate(word, "--wait=false").returncode == 0
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: states(s).get(plane) == "DONE" and is_in(s, "PRE_ROTATE"))
        foreign = accept_foreign(lab, plane, component)
        lab.faults(later)
        waiting = watch.until(lambda s: shown(foreign) in s.error)
        assert plane in waiting.error and "--remove-foreign" in waiting.error, waiting.error
        assert is_in(waiting, "PRE_ROTATE")
        told = lab.secret_rotate("status", "--wait=false")
        assert shown(foreign) in told.stdout.replace("\n", ""), told.stdout
        ended = lab.secret_rotate(word, "--remove-foreign")
        assert ended.returncode == 0, ended
        assert "attached" in ended.stdout
    last = lab.status()
    assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
    talos, _ = lab.fresh_credentials()
    accepted = lab.accepted_talos if component == "talos" else lab.accepted_kubernetes
    for node in lab.nodes:
        assert accepted(node, talos) == {last.new_ca_fingerprint}


# A second omnid


def test_two_servers_at_one_cluster_notice_each_other(lab):
    other = lab.another()
    try:
        other.import_cluster()
        # One after the other: what the first has begun keeps the second from beginning.
        later = lab.control_planes[2].name
        lab.faults(later, latencyMilliseconds=400)
        first = lab.rotate().status
        with lab.watch(cluster=lab.name) as watch:
            watch.until(lambda s: states(s).get(lab.control_planes[0].name) == "DONE")
        refused = other.secret_rotate("talos-ca")
        assert refused.returncode == 3, refused
        assert shown(first.new_ca_fingerprint) in refused.stderr, refused.stderr
        assert not other.status().rotation_id
        lab.faults(later)
        last = lab.finish()
        assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
        # What the second knows of the cluster is out of date now, and it says so.
        told = other.secret_rotate("talos-ca")
        assert told.returncode != 0
        assert not other.status().rotation_id
    finally:
        other.stop()


def test_two_servers_that_begin_at_once_stop_and_one_of_them_goes_on_when_told_to(lab):
    other = lab.another()
    try:
        other.import_cluster()
        # Both ask the machines before either has changed one, and neither is through with a stage before both have changed one.
        for node in lab.nodes:
            lab.faults(node.name, latencyMilliseconds=300)
        plane, worker = lab.control_planes[0].name, lab.workers[-1].name
        for blocked in (plane, worker):
            lab.faults(blocked, latencyMilliseconds=300, applies=["before"] * 1000)
        tickets = {}

        def start(server):
            tickets[server] = server.rotate().status

        threads = [threading.Thread(target=start, args=[s]) for s in (lab, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(tickets) == 2, "one of them was refused before it began"
        for server in (lab, other):
            eventually(lambda: states(server.status()).get(plane) in {"APPLYING", "WAITING"})
        for node in lab.nodes:
            if node.name != worker:
                lab.faults(node.name)
        mine, its = (tickets[s].new_ca_fingerprint for s in (lab, other))
        eventually(lambda: shown(its) in lab.status().error or shown(mine) in other.status().error, 90)
        lab.faults(worker)
        waiting = eventually(lambda: (s := lab.status()).error and shown(its) in s.error and s, 90)
        assert name(waiting, "state") == "ROTATION_STATE_RUNNING"
        eventually(lambda: shown(mine) in other.status().error, 90)
        assert name(other.status(), "state") == "ROTATION_STATE_RUNNING"
        # A person decides which of the two goes on.
        given_up = other.omnictl("cluster", "forget", other.name, "--force")
        assert given_up.returncode == 0, given_up
        ended = lab.secret_rotate("talos-ca", "--remove-foreign")
        assert ended.returncode == 0, ended
        talos, _ = lab.fresh_credentials()
        for node in lab.nodes:
            assert lab.accepted_talos(node, talos) == {mine}
    finally:
        other.stop()


# Machines that are gone, and people who give up


def test_a_rotation_that_has_touched_nothing_is_cancelled(lab):
    lab.rotate_without(lab.control_planes[0].name)
    eventually(lambda: lab.status().error)
    refused = lab.omnictl("cluster", "forget", lab.name)
    assert refused.returncode == 3 and "secret rotate abort" in refused.stderr, refused
    aborted = lab.secret_rotate("abort")
    assert aborted.returncode == 0, aborted
    assert name(lab.status(), "state") == "ROTATION_STATE_ABORTED"
    forgotten = lab.omnictl("cluster", "forget", lab.name)
    assert forgotten.returncode == 0, forgotten
    assert lab.omnictl("cluster", "get", lab.name).returncode == 5


def test_a_rotation_that_has_touched_a_machine_is_given_up_by_force(lab):
    first, gone = lab.control_planes[0].name, lab.control_planes[1].name
    lab.rotate_without(gone)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: states(s).get(gone) == "WAITING")
    forgotten = lab.omnictl("cluster", "forget", lab.name, "--force")
    assert forgotten.returncode == 0, forgotten
    said = " ".join(forgotten.stdout.split())
    assert "lost with it" in said and "PRE_ROTATE" in said and first in said, forgotten.stdout
    assert lab.omnictl("cluster", "get", lab.name).returncode == 5


def test_what_somebody_resets_after_it_was_done_is_done_again(lab):
    plane, later = lab.control_planes[0].name, lab.control_planes[2].name
    lab.faults(later, latencyMilliseconds=400)
    wanted = lab.control_call("GET", f"nodes/{plane}/config")
    lab.rotate()
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: states(s).get(plane) == "DONE" and is_in(s, "PRE_ROTATE"))
        lab.control_call("POST", f"nodes/{plane}/write?mode=no-reboot", wanted)
        lab.faults(later)
    last = lab.finish()
    assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
    assert any(note.startswith(f"{plane}: ") and "changed by somebody else" in note
               and "applied again, 2nd time" in note for note in last.notes), last.notes
    told = lab.secret_rotate("status", "--wait=false")
    assert "applied again, 2nd time" in " ".join(told.stdout.split()), told.stdout
    talos, _ = lab.fresh_credentials()
    for node in lab.nodes:
        assert lab.accepted_talos(node, talos) == {last.new_ca_fingerprint}


def test_a_control_plane_that_somebody_resets_while_a_worker_waits_for_it_is_done_again(lab):
    planes, worker = [node.name for node in lab.control_planes], lab.workers[-1].name
    lab.rotate()
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: is_in(s, "ROTATE"))
        before = {plane: lab.control_call("GET", f"nodes/{plane}/config") for plane in planes}
        lab.faults(worker, applies=["before"] * 1000)
        watch.until(lambda s: is_in(s, "ROTATE") and states(s).get(worker) == "WAITING"
                    and all(states(s)[plane] == "DONE" for plane in planes))
        # GitOps puts all back, and the worker gets its certificate from whichever answers. The first control plane may have
        # been changed before its configuration was read.
        undone = [plane for plane, config in before.items() if lab.control_call("GET", f"nodes/{plane}/config") != config]
        assert undone
        for plane, config in before.items():
            lab.control_call("POST", f"nodes/{plane}/write?mode=no-reboot", config)
        lab.faults(worker)
    last = lab.finish(seconds=180)
    assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
    for plane in undone:
        assert any(note.startswith(f"{plane}: ") and "applied again" in note for note in last.notes), last.notes
    talos, _ = lab.fresh_credentials()
    for node in lab.nodes:
        assert lab.accepted_talos(node, talos) == {last.new_ca_fingerprint}


def test_a_cluster_is_imported_once(lab):
    again = lab.omnictl("cluster", "import", "another", "--talosconfig",
                        str(lab.directory / "cluster/talosconfig"))
    assert again.returncode == 3, again
    assert f"'{lab.name}'" in again.stderr
    listed = lab.omnictl("cluster", "list")
    assert "another" not in listed.stdout
