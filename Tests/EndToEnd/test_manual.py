"""What `make install` brings beside the programs: manual pages and completions."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
PAGES = ["man1/omnictl.1", "man1/talosim.1", "man8/omnid.8"]


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    share = tmp_path_factory.mktemp("share")
    subprocess.run([ROOT / "scripts/install-pages", "--bin", BINARIES, "--share", share], check=True, timeout=120)
    return share


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_found_and_is_set_without_a_warning(share, page):
    name = pathlib.Path(page).stem
    found = run("lexgrog", share / "man" / page)
    assert found.returncode == 0 and f'"{name} - ' in found.stdout, found
    # What lintian asks of a page.
    shown = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", share / "man" / page)
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr


def test_the_page_of_omnictl_has_every_command_with_its_examples(share):
    page = (share / "man/man1/omnictl.1").read_text()

    def leaves(words=()):
        text = run(BINARIES / "omnictl", *words, "--help").stdout
        commands = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.M)
        if not commands:
            yield words, text
            return
        for name in re.findall(r"^  ([a-z][a-z-]*)  ", commands[1], re.M):
            yield from leaves((*words, name))

    found = list(leaves())
    assert len(found) > 30
    for words, text in found:
        heading = ".SS omnictl " + " ".join(words).replace("-", "\\-")
        assert heading in page.splitlines(), heading
        example = re.search(r"^Examples:\n  (.*)$", text, re.M)
        assert example and example[1].replace("-", "\\-") in page, words


def test_the_completions_are_where_the_shells_look(share):
    for place in ["bash-completion/completions/omnictl", "zsh/site-functions/_omnictl",
                  "fish/vendor_completions.d/omnictl.fish"]:
        assert "omnictl __complete" in (share / place).read_text()
