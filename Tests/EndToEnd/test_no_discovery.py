"""Clusters whose machines do not know each other, because discovery is off."""

import json

import pytest


def named(lab, planes=None, workers=None):
    """The flags that name the machines."""
    addresses = [node.address for node in lab.nodes if node.control_plane]
    others = [node.address for node in lab.nodes if not node.control_plane]
    return ["--control-planes", ",".join(planes or addresses),
            "--workers", ",".join(others if workers is None else workers)]


def import_with(lab, *flags):
    return lab.omnictl("cluster", "import", lab.name, "--talosconfig",
                       lab.directory / "cluster/talosconfig", *flags, seconds=60)


def test_a_cluster_without_discovery_is_imported_from_a_list_and_rotated_whole(new_lab):
    lab = new_lab(control_planes=3, workers=2, simulator_flags=["--no-discovery"]).start()
    refused = import_with(lab)
    assert refused.returncode == 3 and "--control-planes" in refused.stderr, refused
    twice = import_with(lab, *named(lab, planes=[lab.nodes[0].address] * 2))
    assert twice.returncode in (2, 3) and "named twice" in twice.stderr, twice

    # One worker is forgotten: the import says so, and the rotation finds it by its Kubernetes node.
    forgotten = lab.nodes[-1]
    workers = [node.address for node in lab.nodes if not node.control_plane][:-1]
    done = import_with(lab, *named(lab, workers=workers))
    assert done.returncode == 0, done
    assert forgotten.name in done.stdout and "3 control planes, 1 workers" in done.stdout, done
    for component in ("talos-ca", "kubernetes-ca"):
        rotated = lab.secret_rotate(component, "--yes", seconds=240)
        assert rotated.returncode == 0, rotated
    cluster = json.loads(lab.omnictl("-o", "json", "cluster", "get", lab.name).stdout)
    assert len(cluster["machines"]) == 5 and cluster["machinesListed"] is True
    talos = lab.fresh_credentials()[0]
    assert {len(lab.accepted_talos(node, talos)) for node in lab.nodes} == {1}


@pytest.mark.parametrize("known", [True, False])
def test_a_list_given_to_adopt_takes_the_place_of_the_machines_on_record(new_lab, known):
    lab = new_lab(control_planes=1, workers=2, simulator_flags=["--no-discovery"]).start()
    if known:
        workers = [lab.nodes[1].address]
        assert import_with(lab, *named(lab, workers=workers)).returncode == 0
    flags = [] if known else ["--talosconfig", lab.directory / "cluster/talosconfig"]
    adopted = lab.omnictl("cluster", "adopt", lab.name, *flags, *named(lab), seconds=60)
    assert adopted.returncode == 0, adopted
    cluster = json.loads(lab.omnictl("-o", "json", "cluster", "get", lab.name).stdout)
    assert len(cluster["machines"]) == 3, cluster
