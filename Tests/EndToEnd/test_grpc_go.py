"""omnid with grpc-go, as every Go program and grpcurl bring it."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = pathlib.Path("/usr/share/gocode/src/google.golang.org/grpc")
SERVICE = "omni.management.v1.ManagementService"
CLUSTERS = 900

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or not LIBRARIES.exists(),
    reason="golang-go and golang-google-grpc-dev are not installed (Tests/packages.txt)")


@pytest.fixture(scope="module")
def client():
    """The Go client, built from Debian's packages alone."""
    build = ROOT / ".build/interop/go"
    source = build / "src/interop/client"
    source.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "Tests/Interop/peers/go/main.go", source / "main.go")
    subprocess.run(
        ["go", "build", "-o", str(build / "client"), "interop/client"], check=True, timeout=600,
        env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOPROXY": "off", "GOPATH": f"{build}:/usr/share/gocode",
             "GOCACHE": str(build / "cache")})
    return build / "client"


@pytest.fixture
def lab(new_lab):
    """An omnid whose list of clusters has some megabytes."""
    lab = new_lab(control_planes=1, workers=0)
    lab.start()
    lab.stop()
    # Of finished rotations; no machine of them answers.
    subprocess.run(
        [lab.binaries / "journal-seed", lab.state / "omnid.db", lab.state / "master.key", str(CLUSTERS)], check=True,
        timeout=300)
    return lab.start()


def documented_targets():
    """What the documents tell Go programs, and grpcurl from 1.9.2 on, to dial."""
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/grpcurl.md")]
    return [re.findall(r"unix://\S*?omnid\.sock", text) for text in texts]


def target_of(socket):
    """The documented target, with the socket's own path in place of the default one."""
    found = documented_targets()
    assert all(found), found
    targets = {target for each in found for target in each}
    assert targets == {"unix:///run/omnid/omnid.sock"}, targets
    return targets.pop().replace("/run/omnid/omnid.sock", str(socket))


def run(client, lab, *arguments, calls=50, watch_seconds=0):
    management = lab.stubs.management
    request = management.ListClustersRequest(page_size=1000).SerializeToString().hex()
    watch = management.WatchRotationStatusRequest(cluster="").SerializeToString().hex()
    command = [client, *arguments, "-method", f"/{SERVICE}/ListClusters", "-request", request, "-calls", str(calls)]
    if watch_seconds:
        command += ["-watch", f"/{SERVICE}/WatchRotationStatus", "-watch-request", watch, "-watch-time", f"{watch_seconds}s"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ended.returncode == 0, ended.stderr + lab.log()[-2000:]
    return json.loads(ended.stdout)


def check(told):
    assert SERVICE in told["services"] and told["health"] == "SERVING", told
    assert told["calls"] == 50 and told["bytes"] > 50 * 1_000_000, told
    assert (told["connections_made"], told["connections_lost"]) == (1, 0), told


def test_the_documented_target_large_answers_and_a_watch_that_is_silent(client, lab):
    told = run(client, lab, "-target", target_of(lab.socket), watch_seconds=25)
    check(told)
    assert told["watch_end"] == "as long as it was to last" and told["watch_time"] > 24, told
    assert told["messages"] >= 1, told
    assert "too_many_pings" not in lab.log()


def test_a_dialer_of_the_program_s_own_whose_authority_is_the_path(client, lab):
    check(run(client, lab, "-target", str(lab.socket), "-socket", str(lab.socket)))


def test_grpcurl_reads_a_large_answer(lab):
    grpcurl = pathlib.Path(os.sys.executable).parent / "grpcurl"
    if not grpcurl.exists():
        pytest.skip("grpcurl is not installed (Tests/requirements.txt)")
    for _ in range(5):
        called = subprocess.run(
            [grpcurl, "-plaintext", "-unix", "-d", '{"pageSize": 1000}', str(lab.socket), f"{SERVICE}/ListClusters"],
            capture_output=True, text=True, timeout=120)
        assert called.returncode == 0, called.stderr
        assert len(json.loads(called.stdout)["clusters"]) > 100
