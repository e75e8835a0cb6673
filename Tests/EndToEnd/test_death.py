"""omnid killed with SIGKILL at random moments: the same rotation goes on with the same new CA."""

import base64
import os
import pathlib
import random
import signal
import socket
import time

import grpc
import pytest
import yaml

from lab import eventually
from test_rotation import name


def test_killed_at_any_moment(new_lab, request):
    kills = request.config.getoption("--kills")
    lab = new_lab().start()
    lab.import_cluster()
    random.seed(4711)
    length = measure(lab)
    done = 0
    killed_in = set()
    rotations = 1
    while done < kills:
        component = "TALOS_CA" if rotations % 2 else "KUBERNETES_CA"
        before = lab.call("GetCluster", cluster=lab.name).cluster
        rotations += 1
        request_id = f"rotation {rotations}"
        started = lab.rotate(component, request_id=request_id).status
        while done < kills and name(lab.status(), "state") == "ROTATION_STATE_RUNNING":
            time.sleep(random.uniform(0, length / 3))
            lab.stop(signal.SIGKILL)
            done += 1
            lab.start()
            status = lab.status()
            killed_in.add((name(status, "phase"), name(status, "state")))
            assert status.rotation_id == started.rotation_id
            assert status.new_ca_fingerprint == started.new_ca_fingerprint
            # The caller that never learnt of its answer asks again.
            again = lab.rotate(component, request_id=request_id).status
            assert again.rotation_id == started.rotation_id
        last = lab.finish()
        assert name(last, "state") == "ROTATION_STATE_SUCCEEDED"
        assert last.rotation_id == started.rotation_id
        assert last.new_ca_fingerprint == started.new_ca_fingerprint
        check_machines(lab, component, before, last)
    history = lab.call("ListRotations", cluster=lab.name, page_size=1000).rotations
    assert len(history) == min(rotations, 100), "every rotation is there, and no other"
    print(f"{done} kills in {rotations - 1} rotations, in {sorted(killed_in)}")


def measure(lab):
    """How long a rotation takes here, in seconds."""
    start = time.monotonic()
    lab.rotate("KUBERNETES_CA")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    return time.monotonic() - start


def check_machines(lab, component, before, last):
    """Every machine accepts the new CA alone, and never knew a third one."""
    talos, kubernetes = lab.fresh_credentials()
    expected = {last.new_ca_fingerprint}
    if component == "TALOS_CA":
        assert last.old_ca_fingerprint == before.talos_ca_fingerprint
        others = {before.kubernetes_ca_fingerprint}
    else:
        assert last.old_ca_fingerprint == before.kubernetes_ca_fingerprint
        others = {before.talos_ca_fingerprint}
    for node in lab.nodes:
        accepted = lab.accepted_talos(node, talos), lab.accepted_kubernetes(node, talos)
        assert accepted == ((expected, others) if component == "TALOS_CA" else (others, expected))
        lab.version(node, talos)
    for node in lab.control_planes:
        lab.api_servers_nodes(node, kubernetes)


def test_killed_before_the_answer(new_lab):
    """A caller that repeats its request after a crash gets one rotation, whatever was lost."""
    lab = new_lab().start()
    lab.import_cluster()
    value = lab.stubs.management.SECRET_COMPONENT_TALOS_CA
    for delay in (0, 0.002, 0.005, 0.01):
        request = lab.stubs.management.RotateSecretRequest(
            cluster=lab.name, component=value, request_id=f"after {delay}")
        with lab.channel() as channel:
            stub = lab.stubs.management_grpc.ManagementServiceStub(channel)
            call = stub.RotateSecret.future(request, timeout=20)
            time.sleep(delay)
            lab.stop(signal.SIGKILL)
            try:
                told = call.result().status.rotation_id
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE
                told = None
        lab.start()
        again = lab.rotate(request_id=f"after {delay}").status
        assert told in (None, again.rotation_id)
        assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    rotations = lab.call("ListRotations", cluster=lab.name).rotations
    assert len(rotations) == 4
    assert len({rotation.new_ca_fingerprint for rotation in rotations}) == 4


def test_silent_peers_hold_nothing_up(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    peers = []
    for greeting in (b"", hello[:10], hello):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(lab.socket))
        peer.sendall(greeting)
        peers.append(peer)
    time.sleep(0.2)
    start = time.monotonic()
    assert lab.stop() == 0
    assert time.monotonic() - start < 4
    for peer in peers:
        peer.close()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_draining(new_lab, signal_number):
    lab = new_lab().start()
    lab.import_cluster()
    lab.rotate_without(lab.control_planes[0].name)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda s: s.machines_total == 5)
        start = time.monotonic()
        assert lab.stop(signal_number) == 0
        assert time.monotonic() - start < 8
        watch.join(5)
        assert watch.error.code() == grpc.StatusCode.UNAVAILABLE
    assert not lab.socket.exists()
    rotation = watch.statuses[-1].rotation_id
    lab.start()
    assert lab.status().rotation_id == rotation
    lab.switch(lab.control_planes[0].name, "start")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_store_taken_away(new_lab):
    """While the store is not where it was, the rotation waits; when it is back, it goes on."""
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    attic = lab.directory / "attic"
    attic.mkdir()
    files = ["omnid.db", "omnid.db-wal", "omnid.db-shm"]
    for file in files:
        (lab.state / file).rename(attic / file)
    with pytest.raises(grpc.RpcError) as caught:
        lab.rotate()
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "was moved or deleted" in caught.value.details()
    for file in files:
        (attic / file).rename(lab.state / file)
    started = lab.rotate().status
    for file in files:
        (lab.state / file).rename(attic / file)
    time.sleep(1)
    assert not (lab.state / "omnid.db").exists(), "omnid made a store of its own"
    for file in files:
        (attic / file).rename(lab.state / file)
    # A watch ends with the outage; what is stored goes on.
    eventually(lambda: name(lab.status(), "state") == "ROTATION_STATE_SUCCEEDED", seconds=90)
    assert lab.status().rotation_id == started.rotation_id
    lab.stop(signal.SIGKILL)
    lab.start()
    assert lab.status().rotation_id == started.rotation_id


def test_memory_is_not_to_be_looked_into(new_lab):
    """No core dump, and the process is root's as those are that nobody may attach to."""
    lab = new_lab(control_planes=1, workers=0).start()
    limits = pathlib.Path(f"/proc/{lab.omnid.pid}/limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    locked = pathlib.Path(f"/proc/{lab.omnid.pid}/status").read_text()
    assert "VmLck" in locked and int(locked.split("VmLck:")[1].split()[0]) > 0
    assert os.stat(f"/proc/{lab.omnid.pid}/mem").st_uid == 0


def test_forgotten_keys_are_in_no_file(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    lab.import_cluster()
    lab.rotate()
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    files = [lab.state / file for file in ("omnid.db", "omnid.db-wal")]
    # omnid's own CA stays; the cluster's goes.
    config = yaml.safe_load(lab.talosconfig)
    authority = base64.b64decode(config["contexts"][config["context"]]["ca"])
    mark = authority.splitlines()[1]
    assert any(mark in file.read_bytes() for file in files)
    lab.call("ForgetCluster", cluster=lab.name)
    assert not any(mark in file.read_bytes() for file in files)
    assert eventually(lab.is_serving)
