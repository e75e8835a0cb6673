"""The blocks of the documents with the mark "deb": entered as root on a Debian 12 that runs systemd, as they stand there.

Needs what test_installed.py needs: `make test-deb`. The tests stand in the order in which a machine lives.
"""

import os
import pathlib
import shutil
import sys

import pytest

from container import Container, make_tree
from test_installed import show

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd/support"))
from documents import marked  # noqa: E402  (found by the line above)

INSTALL, OPERATE = "docs/install.md", "docs/operate.md"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a container of our own needs root")


@pytest.fixture(scope="module")
def machine(packages, tmp_path_factory):
    container = Container(make_tree(), tmp_path_factory.mktemp("machine"))
    # As `make deb` leaves it in the checkout.
    built = container.root / "root/.build/deb"
    built.mkdir(parents=True)
    shutil.copy(packages[0], built)
    yield container
    container.close()


@pytest.fixture(scope="module")
def enter(machine):
    """Enters the next block of a document that begins so, each once; returns what it printed."""
    left = [block.text for document in (INSTALL, OPERATE) for block in marked(document, "deb")]

    def enter(beginning):
        text = next(text for text in left if text.startswith(beginning))
        left.remove(text)
        return machine.run("bash", "-euo", "pipefail", "-c", f"cd /root\n{text}", seconds=300).stdout

    enter.left = left
    return enter


def test_the_master_key_that_is_there_before_the_package_is_taken(machine, enter):
    enter("install -d -m 0755 /etc/omnid")
    key = machine.root / "etc/omnid/master-key"
    assert key.stat().st_size == 32 and key.stat().st_mode & 0o777 == 0o600
    enter("apt install")
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "active"
    assert (machine.root / "var/lib/omnid/omnid.db").exists()
    assert not (machine.root / "var/lib/omnid/master.key").exists(), "the key comes as a credential"
    assert "NAME" in enter("omnictl cluster list")
    machine.run("apt-get", "purge", "--yes", "omnid")
    shutil.rmtree(machine.root / "etc/systemd/system/omnid.service.d")


def test_backups_are_made_while_omnid_serves(machine, enter):
    machine.run("bash", "-c", "apt install ./root/.build/deb/omnid_*.deb")
    machine.run("systemd-run", "--unit=talosim", "talosim", "--fast", "--control-planes", "1", "--workers", "1", "--out",
                "/root/cluster")
    machine.wait_for(lambda: (machine.root / "root/cluster/talosconfig").exists(), 30)
    machine.run("omnictl", "cluster", "import", "prod", "--talosconfig", "/root/cluster/talosconfig")
    machine.run("omnictl", "cluster", "-n", "prod", "secret", "rotate", "talos-ca", "--yes", "--wait-timeout", "2m", seconds=150)
    enter("install -d -m 0700 -o omnid -g omnid /backup")
    enter("runuser -u omnid -- omnid backup")
    enter("sqlite3 -readonly")
    for name in ("omnid-1.backup", "omnid-2.backup", "omnid.db", "master.key"):
        file = machine.root / "backup" / name
        assert file.stat().st_size > 0 and file.stat().st_mode & 0o777 == 0o600, name


def begin_anew(machine):
    """The machine is as another one on which the package has just been installed; the passphrase was kept elsewhere."""
    machine.run("cp", "--preserve", "/etc/omnid/backup-passphrase", "/root/")
    machine.run("apt-get", "purge", "--yes", "omnid")
    assert not (machine.root / "var/lib/omnid").exists()
    machine.run("bash", "-c", "apt install ./root/.build/deb/omnid_*.deb")
    machine.run("cp", "--preserve", "/root/backup-passphrase", "/etc/omnid/")
    assert "prod" not in machine.run("omnictl", "cluster", "list").stdout


def is_as_before(machine):
    history = machine.run("omnictl", "cluster", "-n", "prod", "secret", "rotate", "history").stdout
    assert history.count("SUCCEEDED") == 1, history
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "active"


def test_a_backup_is_restored(machine, enter):
    begin_anew(machine)
    printed = enter("systemctl stop omnid.socket omnid.service")
    assert "prod" in printed and "ImportCluster" in printed, printed
    is_as_before(machine)


def test_a_copy_of_the_database_is_restored(machine, enter):
    begin_anew(machine)
    printed = enter("systemctl stop omnid.socket omnid.service")
    assert "prod" in printed and "ImportCluster" in printed, printed
    is_as_before(machine)


def test_each_block_was_entered(enter):
    assert not enter.left
