"""What goes into the package, as files: no root is needed for these."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
UNIT = PACKAGING / "debian/omnid.service"


def test_systemd_finds_little_that_the_service_could_do_beyond_its_work():
    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", UNIT],
        capture_output=True, text=True, timeout=60)
    exposure = re.search(r"exposure level for omnid.service: ([0-9.]+)", answer.stdout)
    assert exposure and float(exposure[1]) < 2.0, answer.stdout + answer.stderr
    assert answer.returncode == 0, "systemd-analyze says itself that it is above the threshold"


def test_the_socket_is_where_omnictl_looks_and_opens_for_nobody_else():
    socket = (PACKAGING / "debian/omnid.socket").read_text()
    assert "ListenStream=/run/omnid/omnid.sock\n" in socket
    assert "SocketMode=0600\n" in socket and "SocketUser=omnid\n" in socket


@pytest.fixture(scope="module")
def pages(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([sys.executable, ROOT / "scripts/make-man-pages", "--bin", programs, "--out", folder], check=True,
                   timeout=60)
    return folder


@pytest.mark.parametrize("page, words", [
    ("omnid.8", ["--listen", "--min-ping-interval", "Exit status"]),
    ("omnictl.1", ["omnictl cluster secret rotate talos-ca", "--remove-foreign", "Exit codes", "omnictl cluster import"]),
    ("talosim.1", ["--control-planes", "--help"]),
])
def test_a_manual_page_holds_what_the_program_says_and_roff_takes_it(pages, page, words):
    shown = subprocess.run(["man", "--warnings", "-l", pages / page], capture_output=True, text=True, timeout=60,
                           env={"MANWIDTH": "100", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MAN_KEEP_FORMATTING": "",
                                "MANPAGER": "cat"})
    assert shown.returncode == 0 and shown.stderr == ""
    text = re.sub(r".\x08", "", shown.stdout)
    for word in words:
        assert word in text


def test_each_flag_of_each_command_stands_in_the_page_of_omnictl(pages, programs):
    page = (pages / "omnictl.1").read_text().replace("\\-", "-")

    def visit(words):
        text = subprocess.run([programs / "omnictl", *words, "--help"], capture_output=True, text=True, check=True,
                              timeout=30).stdout
        for flag in re.findall(r"^ +(?:-\w, |    )(--[a-z-]+)", text, re.MULTILINE):
            assert f"{flag}" in page, f"{flag} of {words}"
        below = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
        names = re.findall(r"^  ([a-z][a-z-]*)", below[1], re.MULTILINE) if below else []
        if not names:
            assert f".SS omnictl {' '.join(words)}\n" in page
        for name in names:
            visit([*words, name])

    visit([])
