"""The release programs as files: what the loader is told of them."""

import os
import pathlib
import re
import subprocess

import pytest

BIN = pathlib.Path(os.environ.get("OMNID_BIN_DIR",
                                  pathlib.Path(__file__).parents[2] / ".build/release"))


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, BIN / program], capture_output=True, text=True,
                          check=True, timeout=30).stdout


@pytest.mark.parametrize("program", ["omnid", "omnictl", "talosim"])
def test_a_program_is_hardened_and_looks_for_libraries_in_no_place_of_its_own(program):
    dynamic = readelf("-d", program)
    assert "RUNPATH" not in dynamic and "RPATH" not in dynamic
    # Full RELRO: everything is bound at start, and read-only from then on.
    assert re.search(r"FLAGS_1.*\bNOW\b", dynamic)
    headers = readelf("-l", program)
    assert "GNU_RELRO" in headers
    assert re.search(r"FLAGS_1.*\bPIE\b", dynamic)
    assert re.search(r"GNU_STACK.*\bRW\b", headers)


@pytest.mark.parametrize("program", ["omnid", "omnictl", "talosim"])
def test_a_smashed_stack_of_the_c_in_a_program_ends_it(program):
    assert re.search(r"UND __stack_chk_fail@", readelf("--dyn-syms", program))


@pytest.mark.parametrize("program", ["omnid", "omnictl", "talosim"])
def test_a_program_needs_no_library_of_swift(program):
    needed = re.findall(r"NEEDED.*\[(.*)\]", readelf("-d", program))
    assert needed and not [each for each in needed
                           if re.search("swift|Foundation|dispatch|BlocksRuntime", each)]
