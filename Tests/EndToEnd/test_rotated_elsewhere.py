"""Another tool rotates one CA while omnid rotates the other: the rotation goes on once the new one is taken up."""

import pytest

import wire
from lab import eventually
from test_adopt import accepted
from test_rotation import name


def rival(lab, component, talosconfig):
    """Another omnid, of which this one knows nothing, rotates a CA to its end; returns a talosconfig of then."""
    other = lab.another()
    try:
        other.call("ImportCluster", cluster=other.name, talosconfig=talosconfig)
        other.rotate(component, remove_foreign=True)
        assert name(other.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
        return other.call("Talosconfig", cluster=other.name).talosconfig
    finally:
        other.stop()


def is_paused(lab):
    return name(lab.status(), "state") == "ROTATION_STATE_PAUSED"


def shown(lab):
    return " ".join(lab.secret_rotate("status", "--wait=false").stdout.split())


def expect_both_rotated(lab, first, other):
    """The rotation that was running has ended, and the other CA's was taken over after it; both old CAs are refused."""
    old_talos = wire.Credential.from_talosconfig(lab.talosconfig)
    old_kubernetes = wire.Credential.from_kubeconfig(lab.kubeconfig)
    taken, ours = lab.call("ListRotations", cluster=lab.name).rotations
    for status, component in ((ours, first), (taken, other)):
        assert name(status, "state") == "ROTATION_STATE_SUCCEEDED", status
        assert name(status, "component") == f"SECRET_COMPONENT_{component}"
        assert accepted(lab, component) == [{status.new_ca_fingerprint}] * 5
    assert taken.adopted and not ours.adopted
    assert any("rotated elsewhere meanwhile" in note for note in ours.notes), ours
    talos, kubernetes = lab.fresh_credentials()
    for node in lab.nodes:
        with pytest.raises((wire.Refused, ConnectionError)):
            lab.version(node, old_talos, verify=False)
        lab.version(node, talos)
    for node in lab.control_planes:
        with pytest.raises(wire.Refused, match="HTTP 401"):
            lab.api_servers_nodes(node, old_kubernetes, verify=False)
        lab.api_servers_nodes(node, kubernetes)
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    assert not cluster.warnings, cluster
    assert "tainted-by-importing" in [mark.name for mark in cluster.marks]
    assert "PRIVATE KEY" not in lab.log()


def test_a_kubernetes_ca_that_is_rotated_elsewhere_while_the_talos_ca_is_rotated(new_lab):
    lab = new_lab().start()
    before = lab.import_cluster()
    lab.rotate("TALOS_CA", soak_until_continued=True)
    eventually(lambda: is_paused(lab), 60)
    rival(lab, "KUBERNETES_CA", lab.call("Talosconfig", cluster=lab.name).talosconfig)
    lab.call("ContinueRotation", cluster=lab.name)
    eventually(lambda: "secret rotate adopt puts the new one on record" in shown(lab), 60)

    plan = lab.secret_rotate("adopt", "--dry-run")
    said = " ".join(plan.stdout.split())
    assert plan.returncode == 0 and "kubernetes-ca was rotated elsewhere to its end" in said, plan
    assert "would be on record" in said and "would be attached to" in said, said
    cluster = lab.call("GetCluster", cluster=lab.name).cluster
    assert cluster.kubernetes_ca_fingerprint == before.kubernetes_ca_fingerprint

    done = lab.secret_rotate("adopt", seconds=240)
    assert done.returncode == 0, (done, shown(lab))
    expect_both_rotated(lab, "TALOS_CA", "KUBERNETES_CA")


def test_a_talos_ca_that_is_replaced_while_the_kubernetes_ca_is_rotated(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    lab.rotate("KUBERNETES_CA", soak_until_continued=True)
    eventually(lambda: is_paused(lab), 90)
    fresh = lab.directory / "fresh"
    fresh.write_text(rival(lab, "TALOS_CA", lab.talosconfig))
    lab.call("ContinueRotation", cluster=lab.name)
    eventually(lambda: f"omnictl cluster adopt {lab.name} --talosconfig FILE" in shown(lab), 60)

    without = lab.secret_rotate("adopt")
    assert without.returncode == 3 and "--talosconfig FILE" in without.stderr, without
    assert name(lab.status(), "state") == "ROTATION_STATE_RUNNING"
    done = lab.omnictl("cluster", "adopt", lab.name, "--talosconfig", fresh, seconds=240)
    assert done.returncode == 0, (done, shown(lab))
    expect_both_rotated(lab, "KUBERNETES_CA", "TALOS_CA")
