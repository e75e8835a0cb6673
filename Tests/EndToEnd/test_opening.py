"""What an omnid with many clusters stored does while it reads its store: it shows single clusters, and all else waits."""

import shutil
import sqlite3
import subprocess
import threading
import time

import grpc
import pytest

CLUSTERS = 3000
# The names that journal-seed gives.
FIRST, BAD = "cluster-10000", f"cluster-{10_000 + CLUSTERS - 1}"


@pytest.fixture
def lab(new_lab):
    """An omnid that has been stopped, with many clusters in its store, of which no machine answers."""
    lab = new_lab(control_planes=1, workers=0)
    lab.start()
    lab.stop()
    subprocess.run(
        [lab.binaries / "journal-seed", lab.state / "omnid.db", lab.state / "master.key", str(CLUSTERS)], check=True,
        timeout=300)
    return lab


class Asking(threading.Thread):
    """Makes one call, from before there is an omnid, until it is answered or omnid has ended."""

    def __init__(self, lab, method, **fields):
        super().__init__(daemon=True)
        self.lab, self.method, self.fields = lab, method, fields
        self.answer = self.answered_at = self.refusal = None
        self.is_over = False
        self.start()

    def run(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and not self.is_over:
            try:
                self.answer = self.lab.call(self.method, **self.fields)
                self.answered_at = time.monotonic()
                return
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    self.refusal = error
                    return
                time.sleep(0.002)

    def finish(self):
        self.join(60)
        assert not self.is_alive()
        return self


def test_a_cluster_is_shown_while_the_store_is_read_and_a_change_waits(lab):
    shown = Asking(lab, "GetCluster", cluster=FIRST)
    listed = Asking(lab, "ListClusters", page_size=2)
    changed = Asking(lab, "LockCluster", cluster=FIRST, reason="night")
    absent = Asking(lab, "GetCluster", cluster="nobody")
    lab.start(wait=False)
    for asking in (shown, listed, changed, absent):
        asking.finish()
    assert shown.answer.cluster.name == FIRST and len(shown.answer.cluster.machines) == 5
    assert shown.answer.cluster.rotation.rotation_id == "rotation-10000"
    assert [cluster.name for cluster in listed.answer.clusters] == [FIRST, "cluster-10001"]
    assert changed.answer.cluster.lock.reason == "night", changed.answer
    assert absent.refusal.code() == grpc.StatusCode.NOT_FOUND, absent.refusal
    assert max(shown.answered_at, listed.answered_at) < changed.answered_at
    assert not shown.answer.cluster.HasField("lock")
    lab.stop()


def test_a_store_with_one_bad_row_among_many_lets_no_change_through_and_the_row_is_named(lab):
    file, whole = lab.state / "omnid.db", lab.directory / "whole.db"
    shutil.copyfile(file, whole)
    with sqlite3.connect(file) as store:
        store.execute("UPDATE clusters SET record = (SELECT record FROM clusters WHERE name = ?) WHERE name = ?",
                      (FIRST, BAD))
    store.close()
    calls = [
        Asking(lab, "LockCluster", cluster=FIRST, reason="night"),
        Asking(lab, "LockCluster", cluster=BAD, reason="night"),
        Asking(lab, "Talosconfig", cluster=FIRST),
        Asking(lab, "Kubeconfig", cluster=FIRST),
        Asking(lab, "ExportSecrets", cluster=FIRST),
        Asking(lab, "IssueToken", name="night", role=1),
        Asking(lab, "GetTrustBundle", cluster=FIRST),
        Asking(lab, "ForgetCluster", cluster=FIRST),
    ]
    shown, bad = Asking(lab, "GetCluster", cluster=FIRST), Asking(lab, "GetCluster", cluster=BAD)
    ended = subprocess.run(lab.serve(), capture_output=True, text=True, timeout=60)
    for asking in [*calls, shown, bad]:
        asking.is_over = True
        asking.finish()
    assert ended.returncode == 1, ended
    last = ended.stderr.strip().splitlines()[-1]
    assert "cannot serve" in last and "the store is not whole" in last, ended.stderr
    assert f"row '{BAD}' of table clusters was not written by omnid as it stands there" in last, ended.stderr
    assert "serving" not in ended.stderr
    assert shown.answer.cluster.name == FIRST
    assert bad.answer is None
    assert bad.refusal is None or bad.refusal.code() == grpc.StatusCode.DATA_LOSS, bad.refusal
    for asking in calls:
        assert asking.answer is None and asking.refusal is None, (asking.method, asking.answer, asking.refusal)
    # Nothing has got into the store meanwhile: put right, it is whole and as it was.
    with sqlite3.connect(file) as store:
        store.execute("ATTACH ? AS whole", (str(whole),))
        store.execute("UPDATE clusters SET record = (SELECT record FROM whole.clusters WHERE name = ?) WHERE name = ?",
                      (BAD, BAD))
        store.commit()
        for table in ("journal", "clusters", "rotations", "requests", "progress", "access", "audit"):
            assert store.execute(f"SELECT count(*) FROM (SELECT * FROM main.{table} EXCEPT SELECT * FROM whole.{table})"
                                 ).fetchone() == (0,), table
    store.close()
    lab.start()
    assert not lab.call("GetCluster", cluster=FIRST).cluster.HasField("lock")
    assert lab.stop() == 0
