"""The secrets bundle that omnid hands on is the one that the cluster lives by."""

import base64
import os
import stat

import pytest
import yaml

from lab import fingerprints


def pem(text):
    return base64.b64decode(text)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file of another user takes root")
def test_a_file_of_another_user_gets_no_key(new_lab, tmp_path):
    lab = new_lab(control_planes=1, workers=0).start()
    lab.import_cluster()
    path = tmp_path / "other"
    path.write_text("theirs")
    os.chown(path, 65534, 65534)
    for verb in (("secrets", "export"), ("kubeconfig",), ("talosconfig",)):
        refused = lab.omnictl("cluster", "-n", lab.name, *verb, "--output-file", path, "--force")
        assert refused.returncode == 3 and "another user (uid 65534)" in refused.stderr, refused
        assert path.read_text() == "theirs"


@pytest.mark.parametrize("layout", ["legacy", "multidoc"])
def test_the_bundle_is_talosctls_own_and_follows_the_rotations(new_lab, layout, tmp_path):
    lab = new_lab(layout=layout).start()
    lab.import_cluster()
    made = yaml.safe_load((lab.directory / "cluster/secrets.yaml").read_text())
    export = ("cluster", "-n", lab.name, "secrets", "export", "--output-file")
    first = tmp_path / "first.yaml"
    written = lab.omnictl(*export, first)
    assert written.returncode == 0 and "PRIVATE" not in written.stdout, written
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert yaml.safe_load(first.read_text()) == made
    refused = lab.omnictl(*export, first)
    assert refused.returncode == 3 and "--force" in refused.stderr, refused

    talos = lab.rotate("TALOS_CA")
    busy = lab.omnictl(*export, tmp_path / "busy.yaml")
    assert busy.returncode == 3 and not (tmp_path / "busy.yaml").exists(), busy
    talos = lab.finish()
    lab.rotate("KUBERNETES_CA")
    kubernetes = lab.finish()
    assert lab.omnictl(*export, first, "--force").returncode == 0
    now = yaml.safe_load(first.read_text())
    for name, status in (("os", talos), ("k8s", kubernetes)):
        assert fingerprints(pem(now["certs"][name]["crt"])) == [status.new_ca_fingerprint]
        assert now["certs"][name]["key"] != made["certs"][name]["key"]
        del now["certs"][name], made["certs"][name]
    assert now == made, "nothing else has changed"
    assert "PRIVATE" not in lab.log()
