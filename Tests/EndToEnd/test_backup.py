"""Backup and restore as docs/operate.md has them."""

import pathlib
import re
import sqlite3

import pytest
from lab import eventually

from test_rotation import name

OPERATE = (pathlib.Path(__file__).resolve().parents[2] / "docs/operate.md").read_text()


def back_up(lab, folder):
    """What `sqlite3 -readonly … ".backup"` does, while omnid runs."""
    assert re.search(r'sqlite3 -readonly \S+ "\.backup', OPERATE)
    source = sqlite3.connect(f"file:{lab.state}/omnid.db?mode=ro", uri=True)
    copy = sqlite3.connect(folder / "omnid.db")
    source.backup(copy)
    copy.close()
    source.close()
    (folder / "master.key").write_bytes((lab.state / "master.key").read_bytes())
    for file in folder.iterdir():
        file.chmod(0o600)


def restore(lab, folder):
    for file in lab.state.iterdir():
        file.unlink()
    for file in folder.iterdir():
        (lab.state / file.name).write_bytes(file.read_bytes())
        (lab.state / file.name).chmod(0o600)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "backup"
    folder.mkdir()
    return folder


def test_a_backup_from_a_running_omnid_brings_everything_back(new_lab, folder):
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    lab.rotate()
    lab.finish()
    # The last change of the status, after the end.
    eventually(lambda: all(stale.counted for stale in lab.status().stale_trust), 60)
    ended = lab.status()
    back_up(lab, folder)
    lab.stop(9)
    restore(lab, folder)
    lab.start()
    assert lab.status() == ended
    lab.fresh_credentials()
    assert lab.omnictl("audit").returncode == 0


def test_a_backup_of_a_rotation_goes_on_with_its_ca(new_lab, folder):
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    started = lab.rotate_without(lab.workers[0].name).status
    back_up(lab, folder)
    lab.stop(9)
    restore(lab, folder)
    lab.start()
    lab.switch(lab.workers[0].name, "start")
    ended = lab.finish()
    assert name(ended, "state") == "ROTATION_STATE_SUCCEEDED"
    assert ended.new_ca_fingerprint == started.new_ca_fingerprint


def test_a_backup_that_is_older_than_the_machines_is_told_and_brought_up_to_date(new_lab, folder):
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    back_up(lab, folder)
    lab.rotate()
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    fresh = lab.call("Talosconfig", cluster=lab.name).talosconfig
    lab.stop()
    restore(lab, folder)
    lab.start()
    refused = lab.omnictl("cluster", "-n", lab.name, "talosconfig", "--output-file", str(folder / "talosconfig"))
    assert refused.returncode == 3, refused.stderr
    file = folder / "fresh-talosconfig"
    file.touch(mode=0o600)
    file.write_text(fresh)
    adopted = lab.omnictl("cluster", "-n", lab.name, "secret", "rotate", "adopt", "--talosconfig", str(file), "--yes")
    assert adopted.returncode == 0, adopted.stderr
    lab.fresh_credentials()
