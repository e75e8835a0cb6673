"""Builds the package as a user does and drives it against omnid and a simulated cluster."""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from types import SimpleNamespace

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd/support"))

# What is tested is the wheel, unpacked: nothing of src/ is imported.
BUILT = tempfile.TemporaryDirectory(prefix="omnid-client-")
DIST = pathlib.Path(BUILT.name) / "dist"
SITE = pathlib.Path(BUILT.name) / "site"
subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", DIST], cwd=PACKAGE, check=True, timeout=120,
               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
zipfile.ZipFile(next(DIST.glob("*.whl"))).extractall(SITE)
sys.path.insert(0, str(SITE))

import omnid_client  # noqa: E402  (built by the lines above)
from lab import Lab, eventually  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--address-block", type=int, default=70,
                     help="the machines take addresses in 127.0.N.0 and the blocks after it")


def pytest_unconfigure():
    BUILT.cleanup()


@pytest.fixture(scope="session")
def site():
    return SITE


@pytest.fixture(scope="session")
def dist():
    return DIST


@pytest.fixture(scope="session")
def blocks(request):
    return iter(range(request.config.getoption("--address-block"), 250))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    """What the machine's user has set up is none of the tests' business."""
    monkeypatch.delenv("OMNI_ENDPOINT", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def new_lab(tmp_path_factory, blocks):
    labs = []

    def make(*flags, start=True, **options):
        binaries = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
        lab = Lab(SimpleNamespace(management=omnid_client.pb), binaries, tmp_path_factory.mktemp("lab"),
                  f"127.0.{next(blocks)}.0", **options)
        labs.append(lab)
        return lab.start(*flags) if start else lab

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def connect():
    """Makes clients of a lab's omnid, closed when the test ends."""
    clients = []

    def make(lab):
        client = omnid_client.Client(f"unix:{lab.socket}")
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def imported(new_lab, connect):
    """(lab, client) with its cluster imported."""

    def make(**options):
        lab = new_lab(**options)
        client = connect(lab)
        client.import_cluster(lab.name, talosconfig=lab.talosconfig)
        return lab, client

    return make


@pytest.fixture
def hold():
    """Starts a rotation that waits for the named machine, which is switched off before anything reaches it.

    A start is refused while a machine does not answer, so the machine answers it, slowly, and is gone before the
    change, which needs several answers more.
    """

    def start(lab, client, machine, component=omnid_client.pb.SECRET_COMPONENT_TALOS_CA):
        lab.faults(machine, latencyMilliseconds=150)
        started = client.rotate_secret(lab.name, component=component)
        lab.switch(machine, "stop")
        lab.faults(machine)
        return started.status

    return start


__all__ = ["eventually"]
