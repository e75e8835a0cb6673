"""Who asked for what is on record, whatever became of it."""

import json
import signal
import sqlite3


def test_calls_are_on_record_with_their_outcome_also_when_refused_or_killed(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    lab.rotate("TALOS_CA", reason="drill")
    lab.finish()
    refused = lab.omnictl("cluster", "lock", "nobody")
    assert refused.returncode == 5
    assert lab.omnictl("cluster", "-n", lab.name, "talosconfig", "--ttl", "1h").returncode == 0
    lab.stop(signal.SIGKILL)
    lab.start()
    shown = lab.omnictl("audit")
    assert shown.returncode == 0, shown
    lines = shown.stdout.splitlines()
    calls = [line.split()[2:5] for line in lines[1:-1]]
    assert calls == [
        ["ImportCluster", lab.name, "OK"],
        ["RotateSecret", lab.name, "OK"],
        ["LockCluster", "nobody", "NOT_FOUND"],
        ["Talosconfig", lab.name, "OK"],
    ], shown.stdout
    assert "drill" in lines[2] and "rotation " in lines[2]
    assert lines[-1].startswith("entries 1 to 8 follow one from another")
    entries = [json.loads(line) for line in lab.omnictl("audit", "-o", "json").stdout.splitlines()]
    assert [entry["index"] for entry in entries] == [str(index) for index in range(1, 9)]
    assert "PRIVATE KEY" not in json.dumps(entries)

    # Somebody who may write to the store hides a call.
    lab.stop()
    with sqlite3.connect(lab.state / "omnid.db") as store:
        store.execute("UPDATE audit SET record = (SELECT record FROM audit WHERE position = 1) WHERE position = 5")
    store.close()
    lab.start()
    broken = lab.omnictl("audit")
    assert broken.returncode == 1 and "entry 5 of the audit log" in broken.stderr, broken


def test_a_follower_sees_calls_as_they_are_made(new_lab):
    lab = new_lab().start()
    follower = lab.omnictl_process("audit", "--follow")
    lab.import_cluster()
    line = follower.stdout.readline()
    assert "ImportCluster" in line and "OK" in line
    lab.stop()
    lab.start()
    assert lab.omnictl("cluster", "lock", lab.name).returncode == 0
    line = follower.stdout.readline()
    assert "LockCluster" in line, "the follower goes on after a restart"
    follower.terminate()
    follower.wait(10)
