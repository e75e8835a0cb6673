"""Completion in bash, zsh and fish: what each offers at the end of a command line, and whom it asks for names."""

import os
import shlex
import socket
import subprocess
import time

import pytest

# bash is given its line as readline gives it: broken into words at blanks, = and :.
BASH = r"""
source <(omnictl completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=()
set -f
for word in $(sed -E 's/([=:])/ \1 /g' <<< "$COMP_LINE"); do COMP_WORDS+=("$word"); done
[[ $COMP_LINE == *[=:\ ] ]] && COMP_WORDS+=("")
set +f
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_omnictl
printf '%s\n' "${COMPREPLY[@]}"
"""

# zsh's own functions that show candidates are replaced by ones that print them.
ZSH = r"""
compdef() { }
_describe() { local entry; for entry in "${(@P)2}"; do print -r -- "${${entry%%[^\\]:*}}${${entry#${entry%%[^\\]:*}}[1]}"; done }
_files() { print -r -- FILES; }
compset() { }
source <(omnictl completion zsh)
words=("${(@z)1}")
[[ $1 == *' ' ]] && words+=("")
CURRENT=$#words
_omnictl
"""

FISH = r"""
omnictl completion fish | source
complete -C "$argv[1]"
"""


def offers(lab, shell, line, **environment):
    """The words that a shell offers, in their order."""
    program = {"bash": ["bash", "--norc", "-c", BASH, "bash"], "zsh": ["zsh", "-fc", ZSH, "zsh"],
               "fish": ["fish", "--no-config", "-c", FISH]}[shell]
    result = subprocess.run(
        [*program, line], capture_output=True, text=True, timeout=30,
        env={"PATH": f"{lab.binaries}:{os.environ['PATH']}", "HOME": str(lab.directory), "LANG": "C.UTF-8",
             **environment})
    assert result.stderr == "", result.stderr
    words = [entry.split("\t")[0].replace("\\:", ":") for entry in result.stdout.splitlines() if entry]
    # bash is given what is to stand in place of the last of its words.
    return words


SHELLS = pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])


@pytest.fixture
def lab(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    return lab


@SHELLS
def test_commands_flags_and_values_are_offered(lab, shell):
    assert offers(lab, shell, "omnictl clu") == ["cluster"]
    assert offers(lab, shell, "omnictl cluster -n x secret rotate k") == ["kubernetes-ca"]
    assert offers(lab, shell, "omnictl completion z") == ["zsh"]
    assert offers(lab, shell, "omnictl -o js") == ["json"]
    whole = "" if shell == "bash" else "--output="
    assert offers(lab, shell, "omnictl --output=js") == [f"{whole}json"]
    assert sorted(offers(lab, shell, "omnictl cluster -n x secret rotate talos-ca --wait")) == [
        "--wait", "--wait-timeout"]


@SHELLS
def test_names_come_from_the_server_that_the_line_means(lab, shell, new_lab):
    other = new_lab(control_planes=1, workers=0, simulator_flags=("--name", "elsewhere")).start()
    other.call("ImportCluster", cluster="elsewhere", talosconfig=other.talosconfig)
    here, there = f"unix:{lab.socket}", f"unix:{other.socket}"
    # The environment says where to ask, the line knows better.
    environment = {"OMNI_ENDPOINT": here}
    assert offers(lab, shell, "omnictl cluster get ", **environment) == ["demo"]
    assert offers(lab, shell, f"omnictl --endpoint {there} cluster get ", **environment) == ["elsewhere"]
    assert offers(lab, shell, f"omnictl --endpoint={there} cluster -n ", **environment) == ["elsewhere"]
    subprocess.run([lab.binaries / "omnictl", "context", "add", "far", "--endpoint", there], check=True,
                   env={"HOME": str(lab.directory)}, capture_output=True, timeout=30)
    assert offers(lab, shell, "omnictl --context far cluster get ", **environment) == ["elsewhere"]
    assert offers(lab, shell, "omnictl --context ", **environment) == ["far"]
    assert offers(lab, shell, "omnictl context use ", **environment) == ["far"]


@SHELLS
def test_machines_rotations_and_marks_of_the_cluster_are_offered(lab, shell):
    environment = {"OMNI_ENDPOINT": f"unix:{lab.socket}"}
    names = [node.name for node in lab.nodes]
    assert sorted(offers(lab, shell, "omnictl cluster -n demo machine lock ", **environment)) == sorted(names)
    assert offers(lab, shell, "omnictl cluster -n demo mark clear taint", **environment) == ["tainted-by-importing"]
    lab.rotate()
    rotation = lab.finish().rotation_id
    assert offers(lab, shell, "omnictl cluster -n demo secret rotate proof ", **environment) == [rotation]
    assert offers(lab, shell, f"omnictl cluster -n demo secret rotate history {rotation[:4]}", **environment) == [
        rotation]


@SHELLS
def test_files_are_offered_where_one_is_wanted(lab, shell, tmp_path):
    (tmp_path / "talosconfig").write_text("")
    for form in (f"--talosconfig {tmp_path}/tal", f"--talosconfig={tmp_path}/tal"):
        found = offers(lab, shell, f"omnictl cluster import prod {form}")
        if shell == "zsh":
            assert found == ["FILES"]
        else:
            assert [word.split("=")[-1] for word in found] == [f"{tmp_path}/talosconfig"], found


@SHELLS
def test_a_server_that_is_away_or_silent_costs_little_and_says_nothing(lab, shell, tmp_path):
    assert offers(lab, shell, f"omnictl --endpoint unix:{tmp_path}/none cluster get ") == []
    assert offers(lab, shell, "omnictl --endpoint nonsense cluster get ") == []
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        begun = time.monotonic()
        assert offers(lab, shell, f"omnictl --endpoint unix:{tmp_path}/silent cluster get ") == []
        assert time.monotonic() - begun < 5


def test_a_line_is_never_carried_out(lab, tmp_path):
    """What stands on the line, or comes from a server, is a word to the shell and nothing else."""
    trap = tmp_path / "trap"
    line = f"omnictl cluster get $(touch {shlex.quote(str(trap))}) "
    offers(lab, "bash", line, OMNI_ENDPOINT=f"unix:{lab.socket}")
    assert not trap.exists()
