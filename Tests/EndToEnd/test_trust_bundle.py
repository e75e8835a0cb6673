"""What has to be trusted of a cluster: as files, over HTTP, and by omnictl."""

import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from lab import eventually, fingerprints
from test_metrics import bearer, local, over_tls, samples
from test_remote_access import Remote
from test_rotation import name


class Verifier:
    """A client with nothing but the files: connects to every machine, again and again, and verifies its certificate."""

    def __init__(self, lab, bundles):
        self.lab, self.bundles = lab, bundles
        self.wrong, self.verified = [], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)

    def run(self):
        while not self.over.is_set():
            for node in self.lab.nodes:
                self.look(node.address, node.port, "talos-ca.pem")
                if node.control_plane:
                    self.look(node.address, node.kubernetes_port, "kubernetes-ca.pem")
            time.sleep(0.02)

    def look(self, address, port, file):
        context = ssl.create_default_context(cafile=self.bundles / self.lab.name / file)
        context.check_hostname = False
        try:
            with socket.create_connection((address, port), timeout=5) as plain:
                with context.wrap_socket(plain):
                    self.verified += 1
        except ssl.SSLCertVerificationError as error:
            self.wrong.append((address, port, str(error)))
        except OSError:
            pass  # It is being restarted, or wants a client certificate.


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


def start(lab, tmp_path):
    lab.start("--trust-bundle-dir", tmp_path / "bundles")
    return tmp_path / "bundles"


def trusted(bundles, lab, file="talos-ca.pem"):
    return fingerprints((bundles / lab.name / file).read_text())


@pytest.mark.parametrize("component", ["TALOS_CA", "KUBERNETES_CA"])
def test_who_follows_the_files_verifies_every_machine_at_every_moment_of_a_rotation(lab, tmp_path, component):
    bundles = start(lab, tmp_path)
    cluster = lab.import_cluster()
    file = {"TALOS_CA": "talos-ca.pem", "KUBERNETES_CA": "kubernetes-ca.pem"}[component]
    old = {"TALOS_CA": cluster.talos_ca_fingerprint, "KUBERNETES_CA": cluster.kubernetes_ca_fingerprint}[component]
    eventually(lambda: (bundles / lab.name / "bundle.json").exists(), 10)
    assert trusted(bundles, lab, file) == [old]
    with Verifier(lab, bundles) as verifier:
        new = lab.rotate(component).status.new_ca_fingerprint
        eventually(lambda: set(trusted(bundles, lab, file)) == {old, new}, 10)
        assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
        eventually(lambda: trusted(bundles, lab, file) == [new], 10)
        time.sleep(0.5)
    assert not verifier.wrong, verifier.wrong
    assert verifier.verified > 20
    for path in bundles.glob("*/*"):
        assert path.stat().st_mode & 0o777 == 0o644
        assert "PRIVATE KEY" not in path.read_text()
    assert sorted(path.name for path in (bundles / lab.name).iterdir()) == [
        "bundle.json", "kubernetes-ca.pem", "talos-ca.pem"]


def test_both_are_there_before_the_first_machine_is_touched_and_what_is_lost_is_put_right(lab, tmp_path):
    bundles = start(lab, tmp_path)
    lab.import_cluster()
    eventually(lambda: (bundles / lab.name / "bundle.json").exists(), 10)
    status = lab.rotate_without(lab.control_planes[0].name).status
    both = {status.old_ca_fingerprint, status.new_ca_fingerprint}
    eventually(lambda: set(trusted(bundles, lab)) == both, 10)
    lab.stop(signal.SIGKILL)
    (bundles / lab.name / "talos-ca.pem").write_text("nonsense\n")
    (bundles / lab.name / "bundle.json").unlink()
    (bundles / "forgotten").mkdir()
    (bundles / "forgotten/bundle.json").write_text('{"cluster":"forgotten","revision":"1"}\n')
    (bundles / "forgotten/talos-ca.pem").write_text("old\n")
    (bundles / "theirs").mkdir()
    (bundles / "theirs/talos-ca.pem").write_text("not omnid's\n")
    start(lab, tmp_path)
    eventually(lambda: (bundles / lab.name / "bundle.json").exists() and set(trusted(bundles, lab)) == both, 10)
    assert (bundles / "theirs/talos-ca.pem").exists()
    # It may be another omnid's, or this one's with a store that is lost.
    assert (bundles / "forgotten/talos-ca.pem").exists()
    summary = json.loads((bundles / lab.name / "bundle.json").read_text())
    talos = summary["bundles"][0]
    assert talos["rotationId"] == status.rotation_id and len(talos["authorities"]) == 2
    # Going back: the new CA stays until no machine has it.
    lab.switch(lab.control_planes[0].name, "start")
    lab.call("AbortRotation", cluster=lab.name)
    assert name(lab.finish(), "state") == "ROTATION_STATE_ABORTED"
    eventually(lambda: trusted(bundles, lab) == [status.old_ca_fingerprint], 10)
    lab.call("ForgetCluster", cluster=lab.name)
    eventually(lambda: not (bundles / lab.name).exists(), 10)


def test_a_directory_that_cannot_be_written_holds_no_rotation_and_is_told_of(lab, tmp_path):
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (bundles / lab.name).symlink_to(tmp_path / "elsewhere")
    start(lab, tmp_path)
    lab.import_cluster()
    eventually(lambda: "trust bundles cannot be written" in lab.log(), 10)
    seen = samples(local(lab, "/metrics")[2])
    assert seen["omnid_trust_bundles_written"] == 0 and seen["omnid_trust_bundle_failures_total"] >= 1
    lab.rotate()
    ended = lab.finish()
    assert name(ended, "state") == "ROTATION_STATE_SUCCEEDED"
    assert not list((tmp_path / "elsewhere").iterdir())
    (bundles / lab.name).unlink()
    eventually(lambda: (bundles / lab.name).is_dir() and trusted(bundles, lab) == [ended.new_ca_fingerprint], 20)
    eventually(lambda: samples(local(lab, "/metrics")[2])["omnid_trust_bundles_written"] == 1, 20)
    lab.logged("the trust bundles are written again")


def test_over_http_with_tags_for_readers_of_the_cluster(lab):
    remote = Remote(lab)
    cluster = lab.import_cluster()
    token, _ = remote.token("reader", name="balancer")
    bound, _ = remote.token("reader", clusters=["other"], name="bound")
    path = f"/trust/{lab.name}/talos-ca.pem"
    status, kind, body = over_tls(remote, path, *bearer(token))
    assert (status, kind) == (200, "application/x-pem-file")
    assert fingerprints(body) == [cluster.talos_ca_fingerprint]
    shown = over_tls(remote, path, *bearer(token), "-i")[2]
    tag = re.search(r'(?im)^etag: (".*")', shown).group(1)
    assert over_tls(remote, path, *bearer(token), "-H", f"If-None-Match: {tag}")[0] == 304
    status, kind, body = over_tls(remote, f"/trust/{lab.name}/bundle.json", *bearer(token))
    assert kind == "application/json" and json.loads(body)["cluster"] == lab.name
    assert over_tls(remote, path)[0] == 401
    other = over_tls(remote, "/trust/nothing/talos-ca.pem", *bearer(bound))
    assert over_tls(remote, path, *bearer(bound))[:1] == (403,) and other[0] == 403
    assert over_tls(remote, path, *bearer(bound))[2] == other[2]
    assert over_tls(remote, "/trust/nothing/talos-ca.pem", *bearer(token))[0] == 404
    assert local(lab, path)[0] == 200 and local(lab, path, "-I")[0] == 200
    status = lab.rotate_without(lab.workers[0].name).status
    status_code, _, body = over_tls(remote, path, *bearer(token), "-H", f"If-None-Match: {tag}")
    assert status_code == 200
    assert fingerprints(body) == [status.old_ca_fingerprint, status.new_ca_fingerprint]


def test_omnictl_shows_and_writes_them(lab, tmp_path):
    lab.start()
    cluster = lab.import_cluster()
    bundle = ("cluster", "-n", lab.name, "trust-bundle")
    table = lab.omnictl(*bundle)
    assert table.returncode == 0 and cluster.talos_ca_fingerprint[:12] in table.stdout, table
    file = tmp_path / "ca.pem"
    written = lab.omnictl(*bundle, "--component", "kubernetes-ca", "--output-file", str(file))
    assert written.returncode == 0, written
    assert fingerprints(file.read_text()) == [cluster.kubernetes_ca_fingerprint]
    assert lab.omnictl("cluster", "-n", "missing", "trust-bundle").returncode == 5


def test_a_directory_that_others_may_write_to_is_refused_beforehand(lab, tmp_path):
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    check = subprocess.run(
        [lab.binaries / "omnid", "config", "check", "--state-dir", lab.state, "--trust-bundle-dir", open_to_all],
        capture_output=True, text=True, timeout=30)
    assert check.returncode == 2 and "chmod go-w" in check.stderr + check.stdout, check
