"""Rows that need more than a bench server: the codec, and `omnid` itself.

Each is there as soon as its program has been built.
"""

import re
import shutil
import subprocess

from . import processes
from .servers import OURS
from .workloads import LOWER, Aim, Workload

CPP = "c++ callback"  # the column of C++


def workloads(root):
    release = root / ".build" / "release"
    found = []
    if (release / "codec-bench").exists() and (root / ".build/bench/cpp-codec-bench").exists():
        found += [
            codec("encode", "encode", Aim(">= 1.0 x", peer_at_least=1.0)),
            codec("decode", "decode", Aim(">= 1.0 x", peer_at_least=1.0)),
            codec("decode", "decode-arena", Aim("(no aim)"))]
    if (release / "omnid").exists() and (release / "journal-seed").exists():
        found += [
            omnid_start("startup-empty", "omnid: start until SERVING, nothing stored", 20, 0),
            omnid_start("startup-1000", "omnid: start until SERVING, 1,000 clusters", 200, 1000)]
    return found


def omnid_start(name, title, limit, clusters):
    def run(bench, _):
        state = bench.files.folder / f"state-{clusters}"
        command = [bench.files.release / "omnid", "serve", "--state-dir", state,
                   "--listen", f"unix:{bench.files.socket}"]

        def start():
            return bench.load.startup(["--health"], command, bench.server_processor)

        if not clusters:
            shutil.rmtree(state, ignore_errors=True)
            state.mkdir(mode=0o700)
        elif not state.exists():
            state.mkdir(mode=0o700)
            start()  # makes its keys and its database
            processes.output_of(
                [bench.files.release / "journal-seed", state / "omnid.db", state / "master.key",
                 clusters],
                bench.server_processor, 120)
        return start()

    return Workload(
        name, title, "ms", Aim(f"<= {limit} ms", at_most=limit), (OURS,), run,
        value=lambda sample: sample["ms"], **LOWER)


def codec(ours, theirs, aim):
    """C++ can decode into an arena as well, which is a row of its own."""
    def run(bench, name):
        what = ours if name == OURS else theirs
        file = bench.files.folder / "status.bin"
        if not file.exists():
            subprocess.run([bench.files.release / "codec-bench", "write", file], check=True)
        if name == OURS:
            command = [bench.files.release / "codec-bench", "run", "1"]
        else:
            command = [bench.files.bench / "cpp-codec-bench", file, "1"]
        text = processes.output_of(command, bench.server_processor, 60)
        found = re.search(rf"^{what}\s+([0-9.]+)", text, re.MULTILINE)
        if not found:
            raise processes.Failed(f"{command[0]} printed no {what} time")
        return {"ns": float(found.group(1)), "rate": 1e9 / float(found.group(1))}

    return Workload(
        f"codec-{theirs}", f"RotationStatus of 50 machines: {theirs} against C++ protobuf",
        "messages/s", aim, (OURS, CPP), run)
