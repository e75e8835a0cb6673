"""Who goes on with the retired CA after a rotation is counted until nobody is left."""

import time

from lab import eventually


def stale(lab):
    return {entry.component: entry for entry in lab.status().stale_trust}


def counted(lab, total):
    entries = stale(lab)
    return bool(entries) and all(entry.counted for entry in entries.values()) and (
        sum(entry.total for entry in entries.values()) == total)


def test_pods_that_are_older_than_the_root_are_counted_to_zero_after_the_end(new_lab):
    lab = new_lab(control_planes=1, workers=2).start()
    lab.import_cluster()
    assert not lab.status().stale_trust
    rotated = lab.secret_rotate("kubernetes-ca", "--yes")
    assert rotated.returncode == 0 and "names them until none is left" in rotated.stdout, rotated

    # kube-proxy on each of three nodes, and CoreDNS; static pods restart by themselves.
    eventually(lambda: counted(lab, 4), 60)
    entry, = stale(lab).values()
    assert entry.rotation_id == lab.status().rotation_id
    assert [(one.owner, one.count) for one in entry.holders] == [
        ("daemonset/kube-proxy", 3), ("deployment/coredns", 1)]
    text = lab.secret_rotate("status").stdout
    assert "kubectl -n kube-system rollout restart daemonset/kube-proxy" in text, text
    assert "3 × kube-system" in text

    time.sleep(1.1)
    credential = lab.fresh_credentials()[1]
    names = [f"kube-proxy-{node.name}" for node in lab.nodes]
    for name in names[1:]:
        lab.delete_pod(credential, name)
    eventually(lambda: counted(lab, 2), 90)
    # The count outlives omnid.
    lab.stop()
    lab.start()
    assert counted(lab, 2)
    for name in [names[0], "coredns-5d78c9869d-x7k2p"]:
        lab.delete_pod(credential, name)
    eventually(lambda: counted(lab, 0), 90)
    assert "stale trust" not in lab.secret_rotate("status").stdout


def test_a_cluster_without_talos_api_access_for_pods_has_nobody_to_restart_after_its_talos_ca(
        new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    lab.import_cluster()
    assert lab.secret_rotate("talos-ca", "--yes").returncode == 0
    eventually(lambda: counted(lab, 0), 60)
