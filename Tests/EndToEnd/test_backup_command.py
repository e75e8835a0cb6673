"""omnid backup and omnid restore, and backups on a schedule; with age as Debian has it."""

import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from lab import eventually
from test_metrics import local, samples
from test_rotation import name


def omnid(lab, *arguments, seconds=60):
    return subprocess.run([lab.binaries / "omnid", *map(str, arguments)], capture_output=True, text=True,
                          timeout=seconds)


def backup(lab, file, *flags):
    return omnid(lab, "backup", "--to", file, "--state-dir", lab.state, *flags)


def restore(lab, file, *flags):
    return omnid(lab, "restore", "--from", file, "--state-dir", lab.state, *flags)


def lose(lab, keeping=()):
    """The disk of omnid's machine is gone."""
    lab.stop(signal.SIGKILL)
    for file in lab.state.iterdir():
        if file.name not in keeping:
            file.unlink()


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


@pytest.fixture
def passphrase(tmp_path):
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text("correct horse battery staple\n")
    return file


def test_a_backup_with_a_passphrase_brings_everything_back_on_an_empty_machine(lab, tmp_path, passphrase):
    lab.start()
    lab.import_cluster()
    lab.rotate()
    ended = lab.finish()
    file = tmp_path / "all.backup"
    made = backup(lab, file, "--passphrase-file", passphrase)
    assert made.returncode == 0 and "the master key is in it" in made.stdout, made
    assert file.stat().st_mode & 0o777 == 0o600
    key = (lab.state / "master.key").read_bytes()
    assert key not in file.read_bytes() and b"CERTIFICATE" not in file.read_bytes()
    lose(lab)
    restored = restore(lab, file, "--passphrase-file", passphrase)
    assert restored.returncode == 0 and "restored 1 cluster as of 20" in restored.stdout, restored
    assert (lab.state / "master.key").read_bytes() == key
    lab.start()
    now = lab.status()
    # What is counted after a rotation comes later, and changes the status.
    for field in ("rotation_id", "state", "new_ca_fingerprint", "finished_at"):
        assert getattr(now, field) == getattr(ended, field)
    lab.fresh_credentials()
    lab.rotate("KUBERNETES_CA")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_a_backup_of_a_rotation_under_way_goes_on_and_needs_the_master_key(lab, tmp_path):
    lab.start()
    lab.import_cluster()
    started = lab.rotate_without(lab.workers[0].name).status
    file = tmp_path / "store.backup"
    made = backup(lab, file)
    assert made.returncode == 0 and "keep a copy of" in made.stdout, made
    key = (lab.state / "master.key").read_bytes()
    lose(lab)
    refused = restore(lab, file)
    assert refused.returncode == 1 and "the master key, which has to be in place first" in refused.stderr
    (lab.state / "master.key").touch(mode=0o600)
    (lab.state / "master.key").write_bytes(key)
    restored = restore(lab, file)
    assert restored.returncode == 0 and "talos-ca of demo was under way" in restored.stdout, restored
    lab.start()
    lab.switch(lab.workers[0].name, "start")
    ended = lab.finish()
    assert name(ended, "state") == "ROTATION_STATE_SUCCEEDED"
    assert ended.new_ca_fingerprint == started.new_ca_fingerprint


def test_a_restored_store_that_is_older_than_the_machines_is_taken_over(lab, tmp_path):
    lab.start()
    lab.import_cluster()
    file = tmp_path / "old.backup"
    assert backup(lab, file).returncode == 0
    lab.rotate()
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    config = tmp_path / "talosconfig"
    config.touch(mode=0o600)
    config.write_text(lab.call("Talosconfig", cluster=lab.name).talosconfig)
    lose(lab, keeping=["master.key"])
    restored = restore(lab, file)
    assert restored.returncode == 0 and "omnictl cluster adopt NAME --talosconfig" in restored.stdout
    lab.start()
    # Nor a kubeconfig: machines that do not know the record's Talos CA do not say which Kubernetes CA they use.
    for verb in ("talosconfig", "kubeconfig"):
        refused = lab.omnictl("cluster", "-n", lab.name, verb, "--output-file", str(tmp_path / "x"))
        assert refused.returncode == 3 and not (tmp_path / "x").exists(), refused
    adopted = lab.omnictl("cluster", "adopt", lab.name, "--talosconfig", str(config), "--yes")
    assert adopted.returncode == 0, adopted.stderr
    lab.fresh_credentials()


def test_nothing_is_restored_over_a_store_an_omnid_or_another_key(lab, tmp_path, passphrase):
    lab.start()
    lab.import_cluster()
    file = tmp_path / "all.backup"
    assert backup(lab, file, "--passphrase-file", passphrase).returncode == 0
    again = backup(lab, file, "--passphrase-file", passphrase)
    assert again.returncode == 1 and "is there already" in again.stderr
    before = file.read_bytes()
    running = restore(lab, file, "--passphrase-file", passphrase)
    assert running.returncode == 1 and "is in use by another omnid" in running.stderr, running
    lab.stop()
    there = restore(lab, file, "--passphrase-file", passphrase)
    assert there.returncode == 1 and "nothing is restored over a store" in there.stderr, there
    lose_store(lab)
    # What a kill before the first commit leaves would be played back into the restored store.
    journal = lab.state / "omnid.db-journal"
    journal.touch(mode=0o600)
    stray = restore(lab, file, "--passphrase-file", passphrase)
    assert stray.returncode == 1 and f"there is {journal} already" in stray.stderr, stray
    journal.unlink()
    (lab.state / "master.key").write_bytes(os.urandom(32))
    other = restore(lab, file, "--passphrase-file", passphrase)
    assert other.returncode == 1 and "another master key than the backup's" in other.stderr, other
    assert not (lab.state / "omnid.db").exists() and file.read_bytes() == before
    (lab.state / "master.key").unlink()
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("incorrect horse battery staple\n")
    assert "the passphrase is not the backup's" in restore(lab, file, "--passphrase-file", wrong).stderr
    wrong.chmod(0o644)
    assert "make it 0600" in restore(lab, file, "--passphrase-file", wrong).stderr
    assert "give --passphrase-file" in restore(lab, file).stderr
    for bad in (before[:-1], before[:len(before) // 2], before[:200] + bytes([before[200] ^ 1]) + before[201:], b"", b"x"):
        file.write_bytes(bad)
        refused = restore(lab, file, "--passphrase-file", passphrase)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1, refused
        assert not (lab.state / "omnid.db").exists() and not (lab.state / "master.key").exists()
    assert omnid(lab, "backup").returncode == 2 and omnid(lab, "restore").returncode == 2


def lose_store(lab):
    for file in lab.state.glob("omnid.db*"):
        file.unlink()


def test_a_store_that_somebody_has_changed_is_not_backed_up(lab, tmp_path):
    lab.start()
    lab.import_cluster()
    lab.stop()
    store = sqlite3.connect(lab.state / "omnid.db")
    store.execute("UPDATE clusters SET revision = revision + 1")
    store.commit()
    store.close()
    made = backup(lab, tmp_path / "x.backup")
    assert made.returncode == 1 and "the store is not whole" in made.stderr, made
    assert not list(tmp_path.glob("*.backup"))


def test_a_backup_that_is_killed_leaves_no_file_and_one_under_way_holds_nobody_up(lab, tmp_path, passphrase):
    lab.start()
    lab.import_cluster()
    folder = tmp_path / "folder"
    folder.mkdir()
    whole = 0
    # scrypt takes most of the time; kills at all moments of it, and around the write behind it.
    for delay in [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2, 3]:
        process = subprocess.Popen(
            [lab.binaries / "omnid", "backup", "--to", folder / "x.backup", "--state-dir", lab.state,
             "--passphrase-file", passphrase], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        assert lab.status() is not None
        process.kill()
        process.wait()
        for file in folder.iterdir():
            whole += 1
            assert file.name == "x.backup"
            target = tmp_path / f"restored-{delay}"
            assert omnid(lab, "restore", "--from", file, "--state-dir", target, "--passphrase-file", passphrase
                         ).returncode == 0
            file.unlink()
    assert whole < 16


def test_backups_are_made_on_a_schedule_and_the_oldest_go(lab, tmp_path, passphrase):
    folder = tmp_path / "backups"
    lab.start("--backup-to", str(folder), "--backup-every", "1s", "--backup-keep", "2", "--backup-passphrase-file",
              str(passphrase))
    lab.logged("keep a copy of the master key elsewhere now")
    lab.import_cluster()
    (folder / "mine.txt").write_text("mine")
    eventually(lambda: "removed an old backup" in lab.log(), 60)
    assert (folder / "mine.txt").exists()
    files = sorted(file.name for file in folder.glob("*.backup"))
    assert 2 <= len(files) <= 3 and all(re.fullmatch(r"omnid-\d{8}T\d{6}Z\.backup", file) for file in files)
    seen = samples(local(lab, "/metrics")[2])
    assert seen["omnid_backup_last_success_timestamp_seconds"] > time.time() - 60
    assert seen["omnid_backup_failures_total"] == 0
    passphrase.chmod(0o644)
    eventually(lambda: samples(local(lab, "/metrics")[2])["omnid_backup_failures_total"] >= 1, 30, 0.2)
    lab.logged("no backup can be made")
    passphrase.chmod(0o600)
    assert lab.stop() == 0
    newest = sorted(folder.glob("*.backup"))[-1]
    restored = omnid(lab, "restore", "--from", newest, "--state-dir", tmp_path / "new", "--passphrase-file", passphrase)
    assert restored.returncode == 0 and "restored 1 cluster" in restored.stdout, restored


class Identity:
    """Somebody who reads backups: a key of age-keygen."""

    def __init__(self, file):
        subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
        assert file.stat().st_mode & 0o777 == 0o600
        self.file = file
        self.recipient = subprocess.run(["age-keygen", "-y", file], check=True, capture_output=True, text=True).stdout.strip()

    def open(self, file):
        return subprocess.run(["age", "-d", "-i", self.file, file], check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def identity(tmp_path):
    """Makes identities, each in a file of its own."""
    return lambda name: Identity(tmp_path / f"{name}.txt")


def test_a_backup_for_age_opens_with_age_and_with_omnid(lab, tmp_path, identity):
    lab.start()
    lab.import_cluster()
    ann, ben = identity("ann"), identity("ben")
    team = tmp_path / "team"
    team.write_text(f"# whoever is on call\n\n{ben.recipient}\n")
    file = tmp_path / "all.backup"
    made = backup(lab, file, "--recipient", ann.recipient, "--recipients-file", team)
    assert made.returncode == 0 and f"  {ann.recipient}\n  {ben.recipient}\n" in made.stdout, made
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")
    key = (lab.state / "master.key").read_bytes()
    assert key not in file.read_bytes() and b"SQLite" not in file.read_bytes()

    # What age gives out is taken from a pipe, and from a file that is nobody else's.
    opened = ben.open(file)
    assert key in opened
    piped = subprocess.run([lab.binaries / "omnid", "restore", "--from", "-", "--state-dir", tmp_path / "piped"], input=opened,
                           capture_output=True, timeout=60)
    assert piped.returncode == 0 and (tmp_path / "piped/master.key").read_bytes() == key, piped
    plain = tmp_path / "plain"
    plain.write_bytes(opened)
    plain.chmod(0o640)
    refused = omnid(lab, "restore", "--from", plain, "--state-dir", tmp_path / "plain-state")
    assert refused.returncode == 1 and "make it 0600" in refused.stderr, refused
    plain.chmod(0o600)
    assert omnid(lab, "restore", "--from", plain, "--state-dir", tmp_path / "plain-state").returncode == 0
    plain.write_bytes(opened[:-1])
    refused = omnid(lab, "restore", "--from", plain, "--state-dir", tmp_path / "cut")
    assert refused.returncode == 1 and "damaged or cut off" in refused.stderr, refused

    lose(lab)
    restored = restore(lab, file, "--identity", ann.file)
    assert restored.returncode == 0 and "restored 1 cluster as of 20" in restored.stdout, restored
    assert (lab.state / "master.key").read_bytes() == key
    lab.start()
    lab.fresh_credentials()


def test_a_backup_that_age_has_encrypted_anew_is_restored(lab, tmp_path, identity):
    lab.start()
    lab.import_cluster()
    ann, eve = identity("ann"), identity("eve")
    file, other = tmp_path / "all.backup", tmp_path / "other.backup"
    assert backup(lab, file, "--recipient", ann.recipient).returncode == 0
    subprocess.run(["age", "-r", eve.recipient, "-o", other], input=ann.open(file), check=True, timeout=60)
    refused = omnid(lab, "restore", "--from", other, "--state-dir", tmp_path / "new", "--identity", ann.file)
    assert refused.returncode == 1 and "none of the identities is a recipient" in refused.stderr, refused
    restored = omnid(lab, "restore", "--from", other, "--state-dir", tmp_path / "new", "--identity", eve.file)
    assert restored.returncode == 0 and (tmp_path / "new/master.key").read_bytes() == (lab.state / "master.key").read_bytes()
    armored = tmp_path / "armored"
    subprocess.run(["age", "-a", "-r", eve.recipient, "-o", armored], input=ann.open(file), check=True, timeout=60)
    refused = omnid(lab, "restore", "--from", armored, "--state-dir", tmp_path / "newer", "--identity", eve.file)
    assert refused.returncode == 1 and "armored" in refused.stderr and "age -d" in refused.stderr, refused


def test_what_does_not_fit_a_backup_for_age_is_refused_in_words(lab, tmp_path, identity, passphrase):
    lab.start()
    lab.import_cluster()
    ann, eve = identity("ann"), identity("eve")
    file, plain = tmp_path / "all.backup", tmp_path / "plain.backup"
    typed = ann.recipient[:-1] + ("q" if ann.recipient[-1] != "q" else "p")
    for flags, words in [
        (("--recipient", typed), f"--recipient: '{typed}' is no recipient: its checksum does not match"),
        (("--recipient", "ssh-ed25519 AAAA"), "a recipient is written age1..."),
        (("--recipient", ann.file.read_text().splitlines()[-1]), "it is a secret key"),
        (("--recipient", ann.recipient, "--passphrase-file", passphrase), "not both"),
        # The point of all zeros, and one of order 8.
        (("--recipient", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"), "a point of low order"),
        (("--recipient", "age1t7wft09r2zxzfvwsk92eeql0tvzyghxytqwgapkcyf8dm5ylz9ts6wm9s8"), "a point of low order"),
    ]:
        refused = backup(lab, file, *flags)
        assert refused.returncode == 2 and words in refused.stderr and "SECRET" not in refused.stderr, refused
        assert not file.exists()
    team = tmp_path / "team"
    team.write_text(f"{ann.recipient}\n{typed}\n")
    refused = backup(lab, file, "--recipients-file", team)
    assert refused.returncode == 1 and f"{team}: line 2: '{typed}' is no recipient" in refused.stderr, refused
    team.write_text(f"{ann.recipient}\n")
    team.chmod(0o666)
    refused = backup(lab, file, "--recipients-file", team)
    assert refused.returncode == 1 and f"others may write to {team}" in refused.stderr and not file.exists(), refused

    assert backup(lab, file, "--recipient", ann.recipient).returncode == 0
    assert backup(lab, plain).returncode == 0
    lose(lab, keeping=["master.key"])
    for flags, words in [
        ((file,), "give --identity FILE"), ((file, "--passphrase-file", passphrase), "give --identity FILE"),
        ((file, "--identity", eve.file), "none of the identities is a recipient"),
        ((plain, "--identity", ann.file), "not encrypted with age"),
        ((file, "--identity", ann.file, "--passphrase-file", passphrase), "has no passphrase"),
        ((file, "--identity", passphrase), f"{passphrase}: line 1: an identity is written AGE-SECRET-KEY-1"),
    ]:
        refused = restore(lab, *flags)
        assert refused.returncode == 1 and words in refused.stderr and refused.stderr.count("\n") == 1, refused
    ann.file.chmod(0o640)
    assert "make it 0600" in restore(lab, file, "--identity", ann.file).stderr
    ann.file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(ann.file, 12345, -1)
        assert "belongs to the user with id 12345" in restore(lab, file, "--identity", ann.file).stderr
        os.chown(ann.file, 0, -1)
    before = file.read_bytes()
    for bad in (before[:-1], before[:100], before[:-40] + bytes([before[-40] ^ 1]) + before[-39:], before + b"x"):
        file.write_bytes(bad)
        refused = restore(lab, file, "--identity", ann.file)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1, refused
    assert not (lab.state / "omnid.db").exists()
    file.write_bytes(before)
    assert restore(lab, file, "--identity", ann.file).returncode == 0


def test_backups_on_a_schedule_are_for_recipients_whose_identities_are_elsewhere(lab, tmp_path, identity):
    ann, ben = identity("ann"), identity("ben")
    folder, team = tmp_path / "backups", tmp_path / "team"
    team.write_text(f"{ben.recipient}\n")
    lab.start("--backup-to", str(folder), "--backup-every", "1s", "--backup-keep", "2", "--backup-recipient", ann.recipient,
              "--backup-recipients-file", str(team))
    lab.import_cluster()
    lab.logged(f'recipients="{ann.recipient} {ben.recipient}"')
    lab.logged("clusters=1 revision=")
    team.write_text(f"{ben.recipient}x\n")
    lab.logged(f"{team}: line 1: ")
    lab.stop()
    newest = sorted(folder.glob("*.backup"))[-1]
    for reader in (ann, ben):
        assert (lab.state / "master.key").read_bytes() in reader.open(newest)
    restored = omnid(lab, "restore", "--from", newest, "--state-dir", tmp_path / "new", "--identity", ben.file)
    assert restored.returncode == 0 and "restored 1 cluster" in restored.stdout, restored


def test_the_end_of_a_rotation_says_what_has_to_be_backed_up(lab):
    lab.start()
    lab.import_cluster()
    lab.rotate()
    lab.finish()
    eventually(lambda: "back up the store now" in lab.log())
