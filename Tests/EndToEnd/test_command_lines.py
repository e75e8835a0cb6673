"""Every command line of omnid, omnictl and talosim that a document shows: its verbs and flags are asked of the programs."""

import functools
import os
import pathlib
import re
import shlex
import subprocess

import pytest

import documents
from documents import FENCE, ROOT, blocks

BINARIES = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
PROGRAMS = ("omnid", "omnictl", "talosim")
# The API reference is written from the schema's comments, which name commands too.
DOCUMENTS = documents.documents()
# What reads like a command and is none, each with what it is.
NO_COMMANDS = {"omnid audit 1": "the first text of an entry's hash"} | {
    line: "a line of omnid's log"
    for line in re.findall(r"^\| `([^`]+)` \| `(?:debug|info|warning|error)`", (ROOT / "docs/logging.md").read_text(), re.MULTILINE)
}
# Flags of other programs that documents name, each with whose it is.
FOREIGN = {
    "--with-secrets": "talosctl", "--fail-with-body": "curl", "--calls": "run-bench", "--component": "run-bench",
    "--pace": "pytest", "--bin": "run-bench",
}


@functools.cache
def said(program, *words):
    return subprocess.run([BINARIES / program, *words], capture_output=True, text=True, timeout=30)


@functools.cache
def tree(words=()):
    """The commands of omnictl as its help has them: {words: names below}."""
    text = said("omnictl", *words, "--help").stdout
    below = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^  ([a-z][a-z-]*)  ", below[1], re.MULTILINE) if below else []
    found = {words: frozenset(names)}
    for name in names:
        found.update(tree((*words, name)))
    return found


def paths_that_end_at(word):
    return [path for path in tree() if path and path[-1] == word]


@functools.cache
def verbs_of_omnid():
    """{verb: its flags}, as `omnid --help` and the help of each verb have them."""
    general = said("omnid", "--help").stdout.partition("\n\n")[0]
    serve = flags(said("omnid", "serve", "--help").stdout)
    found = {}
    for line in re.findall(r"^(?:Usage: |       )omnid (.*)", general, re.MULTILINE):
        verb = re.match(r"[a-z-]+(?: [a-z]+)?(?=  | \[| --|$)", line)[0]
        found[verb] = flags(line) | flags(said("omnid", *verb.split(), "--help").stdout) | {"--help"}
        if verb == "serve" or "flags of serve" in line:
            found[verb] |= serve
    return found


def flags(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))


def wrong(words):
    """Why a command line is no command line of its program; nothing where it is one."""
    program, *rest = words
    if program == "omnictl":
        if rest and rest[0] == "help":
            rest = rest[1:]
        answer = said("omnictl", *rest, "--help")
        return answer.stderr if answer.returncode else None
    named = {word.partition("=")[0] for word in rest if word.startswith("--")}
    if program == "talosim":
        there = flags(said("talosim", "--help").stdout)
        return f"talosim has no {named - there}" if named - there else None
    verbs = verbs_of_omnid()
    given = " ".join(word for word in rest[:2] if not word.startswith("-"))
    verb = next((verb for verb in sorted(verbs, key=len, reverse=True) if f"{given} ".startswith(f"{verb} ")), None)
    if rest and rest[0] == "--help":
        return None
    if verb is None:
        return f"omnid has no verb {given!r}"
    return f"omnid {verb} has no {named - verbs[verb]}" if named - verbs[verb] else None


def commands(text):
    """The command lines of a piece of shell, as words: split where one command ends and another begins."""
    text = re.sub(r"<<-?'?(\w+)'?\n.*?^\1$", "", text.replace("\\\n", " "), flags=re.DOTALL | re.MULTILINE)
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split, lexer.commenters = True, "#"
        try:
            words = list(lexer)
        except ValueError as error:
            # A quote that goes on in the next line: no command of ours does that.
            assert not any(f"{program} " in line for program in PROGRAMS), f"{line}: {error}"
            continue
        command, skip = [], False
        for word in [*words, ";"]:
            if skip:
                skip = False
            elif set(word) <= set("();|&"):
                yield from from_program(command)
                command = []
            elif set(word) <= set("<>&"):
                skip = True
            else:
                command.append(word)


def from_program(words):
    """The words from the name of a program of ours on, which may stand behind `runuser … --`, `exec` and the like."""
    for index, word in enumerate(words):
        if word in PROGRAMS:
            # omnid is the name of a service, a user and a package too.
            before = words[index - 1] if index else ""
            if not index or before in ("--", "exec", "do", "until", "while", "if", "!", "then") or "=" in before:
                yield [each for each in words[index:] if each != "…"]
                return


def in_blocks(document):
    for block in blocks(document):
        # A console shows what a command answers, and test_documents.py compares that.
        if block.language == "sh":
            yield from commands(block.text)


def spans(document):
    """The code in the text of a document, tables among it."""
    text = FENCE.sub("", (ROOT / document).read_text())
    for found in re.findall(r"(?<!`)`([^`]+)`(?!`)", text):
        yield " ".join(found.replace("\\|", "|").split())


def in_text(document):
    """Command lines among the text, also those that leave `omnictl`, and what stands before, away: `secret rotate abort`."""
    groups = {path[-1] for path, below in tree().items() if path and below}
    leaves = {path[-1] for path, below in tree().items() if path and not below}
    for span in spans(document):
        # One of several words: `access issue|list|revoke`.
        span = re.sub(r"(?<=\w)\|[\w|-]+", "", span)
        first, _, rest = span.partition(" ")
        if span in NO_COMMANDS:
            continue
        if first in PROGRAMS and rest:
            yield from commands(span)
        elif first in groups and re.match(r"[a-z-]", rest) or first in leaves and rest.startswith("--"):
            # The line that it is the end of.
            yield ["omnictl", None, *[word for line in commands(f"omnictl {span}") for word in line[1:]]]


def is_right(line):
    """Whether a line that may have lost its beginning is the end of one that there is."""
    _, _, first, *rest = line
    return any(wrong(["omnictl", *path, *rest]) is None for path in paths_that_end_at(first))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_command_line_names_verbs_and_flags_that_there_are(document):
    for line in [*in_blocks(document), *in_text(document)]:
        if len(line) > 1 and line[1] is None:
            assert is_right(line), f"{document}: there is no command {' '.join(line[2:])}"
        else:
            assert (why := wrong(line)) is None, f"{document}: {' '.join(line)}: {why}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_flag_that_the_text_names_is_one_of_ours_or_named_as_another_s(document):
    ours = {"--version"}.union(*verbs_of_omnid().values(), flags(said("talosim", "--help").stdout),
                               *(flags(said("omnictl", *path, "--help").stdout) for path in tree()))
    for span in spans(document):
        if span.startswith("--"):
            unknown = flags(span) - ours - FOREIGN.keys()
            assert not unknown, f"{document} names {unknown}"


def test_a_line_with_a_verb_or_a_flag_that_is_not_there_is_found():
    good = ["omnictl cluster -n prod secret rotate talos-ca --dry-run", "omnid backup --to F --passphrase-file P --config C",
            "omnid config check --notify-file F", "omnictl completion bash > f", "talosim --out D --pace real", "omnictl help",
            "runuser -u omnid -- omnid restore --from F", "age -d F | omnid restore --from - --identity I", "omnid backup --recipient K --to F", "omnictl --version"]
    bad = ["omnictl cluster -n prod secret rotate talos --dry-run", "omnictl check --now", "omnid backup --into F", "omnid rekeys",
           "omnid rekey --to F", "talosim --out D --pase real", "runuser -u omnid -- omnid restore --form F", "omnictl access issues"]
    for line in good + bad:
        (words,) = commands(line)
        assert (wrong(words) is None) == (line in good), line
    assert is_right(["omnictl", None, "rotate", "proof"]) and not is_right(["omnictl", None, "rotate", "prove"])
