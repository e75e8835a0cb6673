"""The documents: their fenced blocks, and a shell that runs these."""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```[ ]*$", re.DOTALL | re.MULTILINE)


def documents():
    """Every document that people read, as a path below the repository."""
    found = [*ROOT.glob("*.md"), *(path for folder in ("docs", "Clients", "Proto", "Tests", "packaging")
                                   for path in (ROOT / folder).rglob("*.md"))]
    below = (path.relative_to(ROOT) for path in found)
    # Hidden folders are what tools leave behind.
    return sorted(str(path) for path in below if not any(part.startswith(".") for part in path.parts))


@dataclasses.dataclass(frozen=True)
class Block:
    document: str
    line: int
    language: str
    # What is done with it: "run", "serve", "elsewhere", "deb"; nothing where no test takes it by its mark.
    marks: frozenset
    text: str

    @property
    def first_line(self):
        return self.text.splitlines()[0]

    def __str__(self):
        return f"{self.document}:{self.line} ({self.first_line})"


def blocks(document):
    """The fenced blocks of a document, in their order."""
    text = (ROOT / document).read_text()
    for found in FENCE.finditer(text):
        words = found[2].split()
        yield Block(document, text.count("\n", 0, found.start()) + 1, words[0] if words else "", frozenset(words[1:]), found[3])


def marked(document, mark):
    return [block for block in blocks(document) if mark in block.marks]


class Shell:
    """One bash in which the blocks of a document are run, one after the other, as a person would enter them."""

    def __init__(self, folder, environment):
        self.folder, self.count = folder, 0
        # A session of its own, so that what a block has left running can be ended with it.
        self.process = subprocess.Popen(
            ["bash", "-euo", "pipefail"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=folder, env=environment, start_new_session=True)

    def run(self, text, seconds=180):
        """Runs a block to its end; returns what it has printed, its errors last."""
        self.count += 1
        script, printed, errors = (self.folder / f".block-{self.count}{end}" for end in (".sh", ".out", ".err"))
        script.write_text(text)
        guard = threading.Timer(seconds, self.kill)
        guard.start()
        try:
            self.process.stdin.write(f". '{script}' < /dev/null > '{printed}' 2> '{errors}'; echo done\n")
            self.process.stdin.flush()
            ended = self.process.stdout.readline()
        except BrokenPipeError:
            ended = ""
        finally:
            guard.cancel()
        output = "".join(file.read_text(errors="replace") for file in (printed, errors) if file.exists())
        assert ended == "done\n", f"a command has failed:\n{text}\n{output[-4000:]}"
        return output

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def close(self):
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def in_place_of(text, places):
    """The text with each path, address or name of `places` replaced by its own; longer ones first."""
    for written in sorted(places, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(written)}(?![\w-])", lambda _: str(places[written]), text)
    return text
