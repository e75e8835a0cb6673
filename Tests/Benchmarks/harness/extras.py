"""Rows that need more than a bench server: the codec, and `omnid` itself.

Each is there as soon as its program has been built.
"""

import re
import subprocess

from . import processes
from .servers import OURS
from .workloads import LOWER, Aim, Workload

CPP = "c++ callback"  # the column of C++


def workloads(root):
    release = root / ".build" / "release"
    found = []
    if (release / "codec-bench").exists() and (root / ".build/bench/cpp-codec-bench").exists():
        found += [codec("encode"), codec("decode")]
    return found


def codec(what):
    def run(bench, name):
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
        f"codec-{what}", f"{what} a RotationStatus with 50 machines, against C++ protobuf",
        "messages/s", Aim(">= 1.0 x", peer_at_least=1.0), (OURS, CPP), run)
