"""The package on a Debian 12 that runs systemd: installed, used, upgraded, removed, purged.

Needs root, mmdebstrap, and once the network: `make test-deb`. One container; the tests stand in the order in which a
machine lives.
"""

import os
import pathlib
import re
import time

import pytest

from container import Container, make_tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a container of our own needs root")


@pytest.fixture(scope="module")
def machine(packages, tmp_path_factory):
    container = Container(make_tree(), tmp_path_factory.mktemp("machine"))
    yield container
    container.close()


def install(machine, package):
    machine.put(package, "/root/omnid.deb")
    return machine.run("dpkg", "-i", "/root/omnid.deb").stdout


def show(machine, unit, *names):
    text = machine.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
    return dict(line.split("=", 1) for line in text.splitlines())


def process_status(machine):
    number = show(machine, "omnid.service", "MainPID")["MainPID"]
    text = machine.run("cat", f"/proc/{number}/status").stdout
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def stat(machine, path):
    return machine.run("stat", "--format=%U:%G %a", path).stdout.strip()


def test_it_installs_with_nothing_but_debians_own_libraries_and_serves(machine, packages):
    install(machine, packages[0])
    assert show(machine, "omnid.service", "ActiveState", "SubState", "UnitFileState") == {
        "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
    assert show(machine, "omnid.socket", "ActiveState", "UnitFileState") == {
        "ActiveState": "active", "UnitFileState": "enabled"}
    assert machine.run("omnictl", "cluster", "list").returncode == 0
    assert stat(machine, "/run/omnid/omnid.sock") == "omnid:omnid 600"
    assert stat(machine, "/var/lib/omnid") == "omnid:omnid 700"
    assert stat(machine, "/var/lib/omnid/master.key") == "omnid:omnid 600"
    verified = machine.run("systemd-analyze", "verify", "--man=no", "omnid.service", "omnid.socket")
    assert "omnid" not in verified.stdout + verified.stderr
    nobody = machine.run("setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", "omnictl", "--endpoint",
                         "unix:/run/omnid/omnid.sock", "cluster", "list", check=False)
    assert nobody.returncode == 6, nobody.stderr


def test_the_service_has_no_rights_that_it_does_not_need(machine):
    status = process_status(machine)
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert int(status["VmLck"].split()[0]) > 0, "keys lie in locked memory"
    lines = machine.run("journalctl", "-u", "omnid", "--no-pager", "-o", "cat").stdout.splitlines()
    if not may_raise_limits():
        # Then systemd cannot give LimitNICE= either, and Swift's threads complain.
        lines = [line for line in lines if "Failed to set thread priority" not in line]
    assert any(" serving " in line for line in lines)
    # Said once, when it has made the key.
    warned = [line for line in lines if " WARNING keep a copy of the master key elsewhere now" in line]
    assert len(warned) == 1
    lines.remove(warned[0])
    assert not [line for line in lines if re.search("WARN|ERROR|Failed", line)], lines


def may_raise_limits():
    """Whether this host lets us have CAP_SYS_RESOURCE (24)."""
    status = pathlib.Path("/proc/self/status").read_text()
    return bool(int(re.search(r"CapEff:\s*(\w+)", status)[1], 16) >> 24 & 1)


def test_both_cas_are_rotated_under_the_units_rules(machine):
    machine.run("systemd-run", "--unit=talosim", "talosim", "--fast", "--control-planes", "1", "--workers", "1", "--out",
                "/root/cluster")
    machine.wait_for(lambda: (machine.root / "root/cluster/talosconfig").exists(), 30)
    machine.run("omnictl", "cluster", "import", "demo", "--talosconfig", "/root/cluster/talosconfig")
    for component in ("talos-ca", "kubernetes-ca"):
        machine.run("omnictl", "cluster", "-n", "demo", "secret", "rotate", component, "--yes", "--wait-timeout", "2m",
                    seconds=150)


def test_clients_wait_through_a_restart_and_bring_a_stopped_service_back(machine):
    restart = machine.run("systemd-run", "--unit=again", "systemctl", "restart", "omnid.service")
    assert restart.returncode == 0
    end = time.monotonic() + 4
    while time.monotonic() < end:
        machine.run("omnictl", "cluster", "list")
    machine.run("systemctl", "stop", "omnid.service")
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "inactive"
    assert "demo" in machine.run("omnictl", "cluster", "list").stdout
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "active"


def test_a_killed_service_comes_back(machine):
    before = show(machine, "omnid.service", "MainPID")["MainPID"]
    machine.run("systemctl", "kill", "--signal=KILL", "omnid.service")
    machine.wait_for(lambda: show(machine, "omnid.service", "ActiveState", "MainPID")["MainPID"] not in ("0", before), 20)
    assert "demo" in machine.run("omnictl", "cluster", "list").stdout


def test_an_upgrade_keeps_the_clusters_and_the_settings(machine, packages):
    key = machine.run("sha256sum", "/var/lib/omnid/master.key").stdout
    settings = machine.root / "etc/omnid/omnid.yaml"
    settings.write_text(settings.read_text().replace("log-level: info", "log-level: debug"))
    before = show(machine, "omnid.service", "MainPID")["MainPID"]
    since = show(machine, "omnid.socket", "ActiveEnterTimestampMonotonic")
    install(machine, packages[1])
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "active"
    assert show(machine, "omnid.service", "MainPID")["MainPID"] != before, "the new program runs"
    assert show(machine, "omnid.socket", "ActiveEnterTimestampMonotonic") == since, "the socket was there all the time"
    assert "log-level: debug" in settings.read_text()
    assert machine.run("sha256sum", "/var/lib/omnid/master.key").stdout == key
    history = machine.run("omnictl", "cluster", "-n", "demo", "secret", "rotate", "history").stdout
    assert history.count("SUCCEEDED") == 2, history


def test_removed_it_leaves_what_it_knows_and_purged_nothing(machine, packages):
    machine.run("systemctl", "stop", "talosim.service")
    machine.run("dpkg", "--remove", "omnid")
    assert (machine.root / "var/lib/omnid/omnid.db").exists() and (machine.root / "etc/omnid/omnid.yaml").exists()
    assert not (machine.root / "run/omnid/omnid.sock").exists()
    install(machine, packages[1])
    assert "demo" in machine.run("omnictl", "cluster", "list").stdout
    machine.run("dpkg", "--purge", "omnid")
    left = machine.run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-name", "*omnid*", "-print").stdout.split()
    # The user stays, as Debian has it; what declares the user goes with the package. The journal is systemd's.
    assert [path for path in left if not path.startswith(("/root/", "/tmp/", "/run/systemd"))] == []
    assert machine.run("systemctl", "status", "omnid.service", check=False).returncode == 4


def test_the_master_key_may_come_as_a_credential(machine, packages):
    settings = machine.root / "etc/omnid"
    settings.mkdir()
    (settings / "master-key").touch(mode=0o600)
    (settings / "master-key").write_bytes(os.urandom(32))
    drop_in = machine.root / "etc/systemd/system/omnid.service.d"
    drop_in.mkdir(parents=True)
    (drop_in / "key.conf").write_text("[Service]\nLoadCredential=omnid-master-key:/etc/omnid/master-key\n")
    install(machine, packages[0])
    assert show(machine, "omnid.service", "ActiveState")["ActiveState"] == "active"
    assert not (machine.root / "var/lib/omnid/master.key").exists()
    assert (machine.root / "var/lib/omnid/omnid.db").exists()
    machine.run("dpkg", "--purge", "omnid")
