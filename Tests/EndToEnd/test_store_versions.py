"""A store that an earlier omnid has left is served by this one, and one that a later omnid has left is refused."""

import pathlib
import shutil
import subprocess

import pytest

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "OrchestratorTests/Stores/Fixtures"
CLUSTERS = {"release-0.1.0": ["alpha", "beta"]}
STORES = sorted(path.stem for path in FIXTURES.glob("*.db"))
# As the fixtures' README says.
MASTER_KEY = bytes(range(1, 33))


def place(lab, store):
    """Puts a copy of a store, with its master key, where omnid looks for them."""
    lab.state.mkdir(mode=0o700)
    for name, copy in (("omnid.db", lambda to: shutil.copyfile(FIXTURES / f"{store}.db", to)),
                       ("master.key", lambda to: to.write_bytes(MASTER_KEY))):
        file = lab.state / name
        file.touch(mode=0o600)
        copy(file)
    return lab.state / "omnid.db"


# Where an SQLite file has its user_version (https://www.sqlite.org/fileformat.html, section 1.3).
VERSION_AT = 60


def version(file):
    return int.from_bytes(file.read_bytes()[VERSION_AT:VERSION_AT + 4], "big")


def newest():
    return max(version(path) for path in FIXTURES.glob("*.db"))


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=0)


@pytest.mark.parametrize("store", STORES)
def test_a_store_of_an_earlier_version_is_served_and_brought_up_to_date(lab, store):
    file = place(lab, store)
    before = version(file)
    for _ in range(2):
        lab.start()
        listed = lab.omnictl("cluster", "list")
        assert listed.returncode == 0, listed
        for name in CLUSTERS.get(store, ["delta", "gamma"]):
            assert name in listed.stdout, listed.stdout
            assert lab.omnictl("cluster", "-n", name, "secret", "rotate", "history").returncode == 0
        assert lab.stop() == 0
        assert version(file) == newest() >= before
    if before == 1:
        lab.logged("took over a store of release 0.1.0")


def test_a_store_of_a_later_version_is_refused_with_both_versions_and_left_as_it_is(lab):
    known = newest()
    file = place(lab, f"schema-{known}")
    before = bytearray(file.read_bytes())
    before[VERSION_AT:VERSION_AT + 4] = (known + 1).to_bytes(4, "big")
    file.write_bytes(before)
    refused = subprocess.run(lab.serve(), capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1, refused
    assert (f"the store has version {known + 1} and this program knows versions up to {known}" in refused.stderr
            and "use the newer program that wrote it" in refused.stderr), refused.stderr
    assert file.read_bytes() == before
    # Likewise for a backup, and what it says of it.
    backup = subprocess.run(
        [lab.binaries / "omnid", "backup", "--to", lab.directory / "x.backup", "--state-dir", lab.state],
        capture_output=True, text=True, timeout=30)
    assert backup.returncode == 1 and str(known + 1) in backup.stderr, backup


def test_the_table_of_versions_names_every_store_that_is_kept():
    table = (FIXTURES.parents[3] / "docs/operate.md").read_text()
    rows = [line for line in table.splitlines() if line.startswith("| ") and "schema" in line]
    for number in range(1, newest() + 1):
        assert any(f"| {number} |" in row for row in rows), number
