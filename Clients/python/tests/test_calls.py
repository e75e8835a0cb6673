"""Calls against omnid, a simulated cluster behind it."""

import asyncio
import base64
import json
import socket
import threading
import time

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import omnid_client
from authority import Authority
from lab import eventually
from omnid_client import AsyncClient, Client, Connection, parse_endpoint, pb
from omnid_client._config import config_file
from omnid_client._watch import WatchState, merged

TALOS = pb.SECRET_COMPONENT_TALOS_CA
KUBERNETES = pb.SECRET_COMPONENT_KUBERNETES_CA


def test_rotate_and_wait(imported):
    lab, client = imported()
    started = client.rotate_secret(lab.name, component=TALOS, reason="a test").status
    seen = []
    ended = client.wait(lab.name, started.rotation_id, timeout=120, on_status=seen.append)
    assert ended.state == pb.ROTATION_STATE_SUCCEEDED and ended.rotation_id == started.rotation_id
    assert ended.old_ca_fingerprint == started.old_ca_fingerprint and ended.reason == "a test"
    assert {status.phase for status in seen} == {
        pb.ROTATION_PHASE_PRE_ROTATE, pb.ROTATION_PHASE_ROTATE, pb.ROTATION_PHASE_POST_ROTATE}
    assert client.wait(lab.name).rotation_id == started.rotation_id, "one that is over is not waited for"
    client.wait(lab.name, client.rotate_secret(lab.name, component=KUBERNETES).status.rotation_id, timeout=120)
    assert client.wait(lab.name, started.rotation_id).state == pb.ROTATION_STATE_SUCCEEDED, "the history knows"
    with pytest.raises(omnid_client.NotFound):
        client.wait(lab.name, "no-such-rotation")


def test_rotate_and_wait_with_asyncio(imported):
    lab, _ = imported(control_planes=1, workers=1)

    async def main():
        async with AsyncClient(f"unix:{lab.socket}") as client:
            started = await client.rotate_secret(lab.name, component=TALOS)
            # Calls of one client go side by side.
            ended, clusters = await asyncio.gather(
                client.wait(lab.name, started.status.rotation_id, timeout=120), client.list_clusters())
            with pytest.raises(omnid_client.NotFound) as caught:
                await client.get_cluster("other")
            return ended, clusters, caught.value

    ended, clusters, error = asyncio.run(main())
    assert ended.state == pb.ROTATION_STATE_SUCCEEDED
    assert [cluster.name for cluster in clusters.clusters] == [lab.name]
    assert error.reason == "CLUSTER_NOT_FOUND"


class Gathered:
    """Every status of a watch, read in a thread."""

    def __init__(self, lab, is_async, **options):
        self.lab, self.options = lab, options
        self.statuses, self.error = [], None
        self.thread = threading.Thread(target=self.read_async if is_async else self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            with Client(f"unix:{self.lab.socket}") as client:
                self.statuses.extend(self.kept(client.watch(self.lab.name, **self.options)))
        except omnid_client.OmnidError as error:
            self.error = error

    def kept(self, statuses):
        for status in statuses:
            self.statuses.append(status)
        return ()

    def read_async(self):
        async def main():
            async with AsyncClient(f"unix:{self.lab.socket}") as client:
                async for status in client.watch(self.lab.name, **self.options):
                    self.statuses.append(status)

        try:
            asyncio.run(main())
        except omnid_client.OmnidError as error:
            self.error = error

    def join(self, seconds=120):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the watch has not ended"


@pytest.mark.parametrize("is_async", [False, True], ids=["threads", "asyncio"])
def test_a_watch_goes_on_when_omnid_is_killed(imported, hold, is_async):
    lab, client = imported()
    last = lab.workers[-1].name
    started = hold(lab, client, last)
    watch = Gathered(lab, is_async, stop_when_idle=True)
    for _ in range(3):
        known = len(watch.statuses)
        eventually(lambda: len(watch.statuses) > known or watch.statuses)
        lab.stop(9)
        time.sleep(0.3)
        lab.start()
    lab.switch(last, "start")
    watch.join()
    assert watch.error is None
    assert watch.statuses[-1].state == pb.ROTATION_STATE_SUCCEEDED
    assert {status.rotation_id for status in watch.statuses} == {started.rotation_id}
    revisions = [status.revision for status in watch.statuses]
    assert revisions == sorted(set(revisions)), "each revision came once, in order"
    # The first may come before the members of the cluster have been read.
    assert [(len(status.machines), status.new_ca_fingerprint) for status in watch.statuses] == [
        (status.machines_total, started.new_ca_fingerprint) for status in watch.statuses], "each status is whole"
    assert watch.statuses[-1].machines_total == 5


def test_what_is_merged_is_what_a_whole_watch_shows(imported):
    lab, client = imported()
    whole = {}

    def read():
        with Client(f"unix:{lab.socket}") as other:
            for response in other.watch_rotation_status(lab.name):
                whole[response.status.revision] = response.status
                if response.status.state in omnid_client.OVER:
                    return

    client.rotate_secret(lab.name, component=TALOS, reason="merging")
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    statuses = {status.revision: status for status in client.watch(lab.name, stop_when_idle=True)}
    thread.join(30)
    both = whole.keys() & statuses.keys()
    assert len(both) > 5
    for revision in both:
        for status in (whole[revision], statuses[revision]):
            # The clock of the moment, not of the revision.
            status.ClearField("elapsed")
        assert whole[revision] == statuses[revision]


def test_a_server_that_stays_away_ends_the_watch_and_one_that_never_was_is_told_at_once(imported, hold):
    lab, client = imported(control_planes=1, workers=1)
    hold(lab, client, lab.workers[0].name)
    watch = Gathered(lab, False, reconnect_for=2.0)
    eventually(lambda: watch.statuses)
    lab.stop(9)
    begun = time.monotonic()
    watch.join(30)
    assert isinstance(watch.error, omnid_client.Unavailable)
    assert 1.5 < time.monotonic() - begun < 20
    with Client("unix:/nowhere/omnid.sock") as nobody, pytest.raises(omnid_client.Unavailable):
        next(nobody.watch(lab.name))


def test_a_wait_that_is_too_long_ends_and_the_rotation_goes_on(imported, hold):
    lab, client = imported(control_planes=1, workers=1)
    hold(lab, client, lab.workers[0].name)
    begun = time.monotonic()
    with pytest.raises(omnid_client.WaitTimeout):
        client.wait(lab.name, timeout=1.0)
    assert time.monotonic() - begun < 10
    lab.switch(lab.workers[0].name, "start")
    assert client.wait(lab.name, timeout=120).state == pb.ROTATION_STATE_SUCCEEDED


def test_a_wait_goes_on_when_omnid_is_killed(imported, hold):
    lab, client = imported(control_planes=1, workers=1)
    started = hold(lab, client, lab.workers[0].name)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(client.wait(lab.name, timeout=120)), daemon=True)
    thread.start()
    for _ in range(3):
        time.sleep(0.3)
        lab.stop(9)
        time.sleep(0.3)
        lab.start()
    lab.switch(lab.workers[0].name, "start")
    thread.join(120)
    assert [status.rotation_id for status in ended] == [started.rotation_id]
    assert ended[0].state == pb.ROTATION_STATE_SUCCEEDED


def test_a_cluster_without_a_rotation_is_not_waited_for(imported):
    lab, client = imported(control_planes=1, workers=0)
    with pytest.raises(omnid_client.NotFound, match="had no rotation yet"):
        client.wait(lab.name)


def test_a_refusal_says_each_thing_that_stands_in_the_way(imported, hold):
    lab, client = imported(control_planes=1, workers=2)
    for worker in lab.workers:
        lab.switch(worker.name, "stop")
    with pytest.raises(omnid_client.FailedPrecondition) as caught:
        client.rotate_secret(lab.name, component=TALOS)
    error = caught.value
    assert error.code is grpc.StatusCode.FAILED_PRECONDITION and error.reason == "NOT_READY"
    assert {(each.type, each.subject) for each in error.precondition_violations} >= {
        ("MACHINE_UNREACHABLE", worker.name) for worker in lab.workers}
    assert error.message and error.message in str(error)
    for worker in lab.workers:
        lab.switch(worker.name, "start")
    with pytest.raises(omnid_client.InvalidArgument) as caught:
        client.rotate_secret(lab.name)
    assert [each.field for each in caught.value.field_violations] == ["component"]
    with pytest.raises(omnid_client.AlreadyExists):
        client.import_cluster(lab.name, talosconfig=lab.talosconfig)
    hold(lab, client, lab.workers[0].name)
    with pytest.raises(omnid_client.FailedPrecondition) as caught:
        client.rotate_secret(lab.name, component=KUBERNETES)
    assert [each.type for each in caught.value.precondition_violations] == ["ROTATION_IN_PROGRESS"]


def test_all_clusters_are_watched_and_a_break_ends_the_watch(imported):
    lab, client = imported(control_planes=1, workers=0)
    client.rotate_secret(lab.name, component=TALOS)
    names = {status.cluster for status in client.watch(stop_when_idle=True)}
    assert names == {lab.name}
    for status in client.watch():
        assert status.cluster == lab.name
        break
    assert client.get_cluster(lab.name).cluster.name == lab.name


def test_the_audit_log_is_an_iterator(imported):
    lab, client = imported(control_planes=1, workers=0)
    entries = [answer.entry for answer in client.read_audit_log()]
    assert [(entry.method, entry.code) for entry in entries] == [("ImportCluster", ""), ("ImportCluster", "OK")]


def test_over_tls_as_a_context_says(new_lab, tmp_path):
    authority = Authority("omnid clients")
    authority.issue(tmp_path / "server", "omnid", ExtendedKeyUsageOID.SERVER_AUTH)
    authority.issue(tmp_path / "client", "somebody", ExtendedKeyUsageOID.CLIENT_AUTH, "omni:admin")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    lab = new_lab(start=False, control_planes=1, workers=0)
    port = free_port()
    lab.start("--listen", f"tls:127.0.0.1:{port}",
              "--tls-cert", tmp_path / "server.pem", "--tls-key", tmp_path / "server-key.pem",
              "--tls-client-ca", tmp_path / "ca.pem")
    where = parse_endpoint(f"tls:127.0.0.1:{port}")
    identity = {"ca": authority.pem, "certificate": (tmp_path / "client.pem").read_bytes(),
                "key": (tmp_path / "client-key.pem").read_bytes()}
    with Client(connection=Connection(where, **identity)) as client:
        assert not client.list_clusters().clusters
    config_file().parent.mkdir(parents=True)
    config_file().touch(mode=0o600)
    encoded = {name: base64.b64encode(identity[field]).decode()
               for name, field in (("ca", "ca"), ("crt", "certificate"), ("key", "key"))}
    config_file().write_text(json.dumps(
        {"context": "lab", "contexts": {"lab": {"endpoint": f"tls:127.0.0.1:{port}", **encoded}}}))
    with Client() as client:
        client.import_cluster(lab.name, talosconfig=lab.talosconfig)
        caller = [answer.entry.caller for answer in client.read_audit_log()][0]
    assert caller.startswith("cn:somebody/")
    with Client(connection=Connection(where, ca=authority.pem)) as client, \
            pytest.raises(omnid_client.Unauthenticated):
        client.list_clusters(timeout=10)
    stranger = Authority("somebody else")
    with Client(connection=Connection(where, **{**identity, "ca": stranger.pem})) as client, \
            pytest.raises(omnid_client.Unavailable):
        client.list_clusters(timeout=10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Without a server: what a watch makes of what comes.

def status(revision, cluster="demo", **fields):
    return pb.RotationStatus(cluster=cluster, revision=revision, **fields)


def response(shown, changes=False):
    return pb.WatchRotationStatusResponse(status=shown, machines_changed_only=changes)


def unavailable():
    return omnid_client.Unavailable(grpc.StatusCode.UNAVAILABLE, "gone")


def ahead():
    return omnid_client.InvalidArgument(
        grpc.StatusCode.INVALID_ARGUMENT, "ahead", (omnid_client.FieldViolation("after_revision", "ahead"),))


def test_changes_are_laid_over_what_is_known():
    machines = [pb.MachineRotationStatus(machine=name, attempts=1) for name in "abc"]
    known = status(4, machines=machines, reason="why", notes=["one"], component=TALOS)
    change = status(5, step="on", machines=[pb.MachineRotationStatus(machine="b", attempts=2)])
    now = merged(known, change)
    assert (now.revision, now.step, now.reason, list(now.notes), now.component) == (5, "on", "why", ["one"], TALOS)
    assert [(each.machine, each.attempts) for each in now.machines] == [("a", 1), ("b", 2), ("c", 1)]


def test_a_watch_begins_again_where_it_was():
    state = WatchState("demo", 3, False, 10)
    assert state.request().after_revision == 3
    assert state.take(response(status(7))).revision == 7
    assert state.take(response(status(7))) is None, "the same again is nothing new"
    assert state.after(unavailable()) < state.after(unavailable()), "waits grow"
    assert state.request().after_revision == 7


def test_a_store_from_a_backup_is_watched_from_its_beginning_once():
    state = WatchState("demo", 0, False, 10)
    state.take(response(status(70)))
    assert state.after(ahead()) == 0 and state.request().after_revision == 0
    assert state.take(response(status(20))).revision == 20
    assert state.request().after_revision == 20
    state.after(ahead())
    with pytest.raises(omnid_client.InvalidArgument):
        state.after(ahead())


def test_a_revision_that_was_never_seen_here_is_the_callers_mistake():
    with pytest.raises(omnid_client.InvalidArgument):
        WatchState("demo", 99, False, 10).after(ahead())


def test_a_watch_gives_up_when_its_time_is_over():
    now = [0.0]
    state = WatchState("demo", 0, False, 5, timeout=60, clock=lambda: now[0])
    state.take(response(status(1)))
    state.after(unavailable())
    now[0] = 4.9
    state.after(unavailable())
    now[0] = 5.0
    with pytest.raises(omnid_client.Unavailable):
        state.after(unavailable())
    state.take(response(status(2)))
    now[0] = 59.99
    assert state.after(unavailable()) <= 0.02 and state.time_left() < 0.02
