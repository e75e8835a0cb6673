"""Machines that are gone for good, and members that nobody knows: a person's word ends the wait for them."""

import json

import pytest

GHOST = "gh0stgh0stgh0stgh0stgh0stgh0stgh0stgh0st123"


def announce(lab, name="ghost", role="worker"):
    """Somebody who has the discovery secret announces a member that does not answer."""
    base = lab.nodes[0].address.rsplit(".", 1)[0]
    lab.control_call("PUT", "members", json.dumps(
        {"add": [{"name": name, "nodeID": GHOST, "addresses": [f"{base}.250"], "role": role}]}))


def report(lab):
    shown = lab.secret_rotate("proof")
    assert shown.returncode == 0, shown
    return shown.stdout


@pytest.mark.parametrize("role", ["worker", "controlplane"])
def test_a_member_that_somebody_has_announced_is_left_out_of_import_and_rotation(new_lab, role):
    lab = new_lab(control_planes=1, workers=1).start()
    announce(lab, role=role)
    flags = ["cluster", "import", lab.name, "--talosconfig", lab.directory / "cluster/talosconfig"]
    refused = lab.omnictl(*flags, seconds=60)
    assert refused.returncode != 0 and "--leave-out ghost" in refused.stderr, refused
    done = lab.omnictl(*flags, "--leave-out", "ghost", seconds=60)
    assert done.returncode == 0 and "1 control planes, 1 workers" in done.stdout, done
    assert GHOST in done.stdout and "is left out" in done.stdout, done

    refused = lab.secret_rotate("talos-ca", "--yes", seconds=60)
    assert refused.returncode != 0 and "ghost" in refused.stderr, refused
    for component in ("talos-ca", "kubernetes-ca"):
        rotated = lab.secret_rotate(component, "--yes", "--leave-out", GHOST, seconds=240)
        assert rotated.returncode == 0, rotated
        assert f"Left out, because a person said that they are gone, so that nothing is proved of them: {GHOST}" in report(lab)


def test_a_machine_that_dies_in_mid_rotation_is_left_out_and_one_that_answers_is_not(new_lab):
    lab = new_lab(control_planes=2, workers=2, simulator_flags=["--without-kubernetes"]).start()
    lab.import_cluster()
    gone, there = lab.workers[-1], lab.workers[0]
    refused = lab.secret_rotate("talos-ca", "--yes", "--leave-out", there.name, seconds=60)
    assert refused.returncode == 3 and f"lets omnid in at {there.address}" in refused.stderr, refused

    ticket = lab.rotate_without(gone.name)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda status: any(m.machine == gone.name and m.last_error for m in status.machines))
        # Until somebody says so it is waited for, and what can be said is said.
        joined = lab.secret_rotate("talos-ca", "--leave-out", gone.name, "--yes", seconds=120)
        assert joined.returncode == 0, joined
        last = watch.until(lambda status: status.rotation_id == ticket.status.rotation_id
                           and status.status == "rotation succeeded", 60)
    assert gone.name not in {m.machine for m in last.machines}
    assert f"left out, and not proved: {gone.name}" in joined.stdout, joined
    assert f"Left out, because a person said that they are gone, so that nothing is proved of them: {gone.name}." in report(lab)


def test_an_abort_that_waits_for_a_dead_machine_goes_back_without_it(new_lab):
    lab = new_lab(control_planes=1, workers=2, simulator_flags=["--without-kubernetes"]).start()
    lab.import_cluster()
    gone = lab.workers[-1]
    lab.rotate(soak_until_continued=True)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda status: status.phase == 2 and status.machines_done == 3)
        lab.switch(gone.name, "stop")
        waiting = lab.secret_rotate("abort", "--wait=false", seconds=60)
        assert waiting.returncode == 0, waiting
        watch.until(lambda status: any(m.machine == gone.name and m.last_error for m in status.machines))
        back = lab.secret_rotate("abort", "--leave-out", gone.name, seconds=120)
    assert back.returncode == 0 and "aborted" in back.stdout, back


def test_the_endpoint_of_a_control_plane_that_is_left_out_keeps_no_later_rotation_from_starting(new_lab):
    lab = new_lab(control_planes=3, workers=0, simulator_flags=["--without-kubernetes"]).start()
    lab.import_cluster()
    gone = lab.control_planes[-1]

    def endpoints():
        return [text.split(":")[0] for text in lab.call("GetCluster", cluster=lab.name).cluster.endpoints]

    assert gone.address in endpoints()
    lab.switch(gone.name, "stop")
    lab.control_call("PUT", "members", json.dumps({"hide": [gone.name]}))
    rotated = lab.secret_rotate("talos-ca", "--yes", "--leave-out", gone.name, seconds=180)
    assert rotated.returncode == 0, rotated
    assert endpoints() == [plane.address for plane in lab.control_planes[:-1]]
    assert lab.secret_rotate("talos-ca", "--yes", seconds=180).returncode == 0
    # It comes back as it was: that is seen before anybody leaves it out once more.
    lab.control_call("PUT", "members", "{}")
    lab.switch(gone.name, "start")
    refused = lab.secret_rotate("talos-ca", "--yes", "--leave-out", gone.name, seconds=120)
    assert refused.returncode == 3 and "retired CA" in refused.stderr, refused


def test_an_endpoint_that_nobody_answers_at_is_left_out_by_its_address_or_replaced(new_lab):
    lab = new_lab(control_planes=1, workers=0, simulator_flags=["--without-kubernetes"]).start()
    lab.import_cluster()
    before = list(lab.call("GetCluster", cluster=lab.name).cluster.endpoints)
    address = lab.control_planes[0].address
    beyond = address.rsplit(".", 1)[0] + ".251"
    other = before[0].replace(address, beyond)
    # What a talosconfig names has to answer when it goes on record.
    flags = ["cluster", "adopt", lab.name, "--talosconfig", lab.directory / "cluster/talosconfig"]
    refused = lab.omnictl(*flags, "--endpoints", f"{before[0]},{other}", seconds=60)
    assert refused.returncode != 0 and f"--leave-out {other}" in refused.stderr, refused
    adopted = lab.omnictl(*flags, "--endpoints", f"{before[0]},{other}", "--leave-out", beyond, seconds=60)
    assert adopted.returncode == 0 and "is left out" in adopted.stdout, adopted
    assert list(lab.call("GetCluster", cluster=lab.name).cluster.endpoints) == before
