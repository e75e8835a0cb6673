"""Options and fixtures of the tests from outside."""

import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

import stubs as stub_files  # noqa: E402  (found by the line above)
from lab import Lab  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=6, help="how often omnid is killed with SIGKILL")
    parser.addoption("--address-block", type=int, default=40,
                     help="the machines take addresses in 127.0.N.0 and the blocks after it")
    parser.addoption("--address-blocks", type=int, default=0,
                     help="how many blocks are used, in turn, so that another run can have the next ones "
                     "(default: as many as there are)")


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    return stub_files.generate(ROOT / "Proto", tmp_path_factory.mktemp("stubs"))


@pytest.fixture(scope="session")
def blocks(request):
    first = request.config.getoption("--address-block")
    count = request.config.getoption("--address-blocks") or 250 - first
    # Each worker of pytest-xdist has blocks of its own.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = count // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first += worker * share
    # A test's machines are gone when it ends, and there are more tests than blocks.
    return itertools.cycle(range(first, first + share))


@pytest.fixture
def new_lab(stubs, tmp_path_factory, blocks):
    """Makes labs: a simulated cluster and an omnid each, gone when the test ends."""
    labs = []

    def make(**options):
        binaries = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
        # Short: the path of a Unix socket has 107 bytes at most.
        directory = tmp_path_factory.mktemp("lab")
        lab = Lab(stubs, binaries, directory, f"127.0.{next(blocks)}.0", **options)
        labs.append(lab)
        return lab

    yield make
    for lab in labs:
        lab.close()
