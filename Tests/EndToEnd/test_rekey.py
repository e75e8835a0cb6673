"""The master key is changed while omnid serves, in the midst of a rotation, and while none serves."""

import signal
import subprocess

from lab import eventually
from test_rotation import name


def rekey(lab, *flags, seconds=60):
    return subprocess.run(
        [lab.binaries / "omnid", "rekey", "--listen", f"unix:{lab.socket}",
         "--state-dir", lab.state, *flags],
        capture_output=True, text=True, timeout=seconds)


def test_the_master_key_is_changed_in_the_midst_of_a_rotation(new_lab):
    lab = new_lab(pace="brisk").start()
    lab.import_cluster()
    key = lab.state / "master.key"
    keys = [key.read_bytes()]
    with lab.watch(cluster=lab.name) as watch:
        lab.rotate("TALOS_CA")
        for phase in ("PRE_ROTATE", "ROTATE", "POST_ROTATE"):
            watch.until(lambda status: name(status, "phase") == f"ROTATION_PHASE_{phase}", 120)
            changed = rekey(lab)
            assert changed.returncode == 0, changed
            assert "back it up" in changed.stdout and "backups" in changed.stdout, changed.stdout
            keys.append(key.read_bytes())
            assert keys[-1] not in keys[:-1] and key.stat().st_mode & 0o777 == 0o600
            if phase == "ROTATE":
                lab.stop(signal.SIGKILL)
                lab.start()
                break
    eventually(lambda: name(lab.status(), "state") == "ROTATION_STATE_SUCCEEDED", 240)
    assert rekey(lab).returncode == 0
    # The rest of the world goes on: credentials, the next rotation, the log of what was done.
    lab.fresh_credentials()
    assert lab.secret_rotate("kubernetes-ca", "--yes", seconds=240).returncode == 0
    audit = lab.omnictl("audit").stdout
    assert audit.count("ChangeMasterKey") >= 3, audit
    assert "PRIVATE" not in audit
    report = lab.secret_rotate("proof").stdout
    (lab.directory / "report").write_text(report)
    assert lab.omnictl("report", "verify", lab.directory / "report").returncode == 0

    lab.stop()
    offline = rekey(lab)
    assert offline.returncode == 0, offline
    lab.start()
    lab.fresh_credentials()


def test_where_no_store_is_none_is_made(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    other = lab.directory / "typed-wrong"
    socket = f"unix:{lab.directory}/nobody.sock"
    refused = subprocess.run([lab.binaries / "omnid", "rekey", "--listen", socket, "--state-dir", other],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "there is no store at" in refused.stderr, refused
    assert not other.exists()
    # The right store, and the wrong socket.
    refused = subprocess.run([lab.binaries / "omnid", "rekey", "--listen", socket, "--state-dir", lab.state],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "--listen" in refused.stderr, refused


def test_a_refused_new_key_changes_nothing(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    lab.import_cluster()
    before = (lab.state / "master.key").read_bytes()
    bad = lab.directory / "bad.key"
    bad.write_bytes(b"short")
    bad.chmod(0o600)
    for flags, status in ((["--new-master-key-file", bad], 1),
                          (["--new-master-key-file", lab.state / "master.key"], 1),
                          (["--new-master-key-file", "relative"], 2),
                          (["--nonsense"], 2)):
        refused = rekey(lab, *flags)
        assert refused.returncode == status and refused.stderr.startswith("omnid: "), refused
    assert (lab.state / "master.key").read_bytes() == before
    lab.fresh_credentials()
    good = lab.directory / "good.key"
    good.write_bytes(bytes(range(100, 132)))
    good.chmod(0o600)
    assert rekey(lab, "--new-master-key-file", good).returncode == 0
    assert (lab.state / "master.key").read_bytes() == good.read_bytes()
