"""Instructions for one call, by callgrind: the same on a busy machine as on an idle one."""

import re
import shutil
import subprocess
import time

from . import processes

# Two runs of so many calls; what they differ by is the calls', and not the program's start and end.
FEW, MANY = 2_000, 12_000


def available():
    return shutil.which("valgrind") is not None


def per_call(bench, program, serve, path, body, timeout=True):
    """Instructions of the server for one call.

    `serve(program, under)` starts the server and is used with `with`; `under` are the words that go before the
    program, and what they start ends with SIGTERM.
    """
    folder = bench.files.folder
    stripped = folder / (program.name + ".stripped")
    if not stripped.exists():
        # valgrind does not take every program's debug information.
        subprocess.run(["strip", "-g", "-o", stripped, program], check=True)
    counts = [_run(bench, stripped, serve, path, body, timeout, calls) for calls in (FEW, MANY)]
    return (counts[1] - counts[0]) / (MANY - FEW)


def _run(bench, program, serve, path, body, timeout, calls):
    out = bench.files.folder / "callgrind.out"
    out.unlink(missing_ok=True)
    with serve(program, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]) as server:
        bench.load.h2load_calls(server, 8, 50, calls, path=path, body=body, timeout=timeout)
    for _ in range(100):
        found = re.search(r"^summary: (\d+)", out.read_text(errors="replace"), re.MULTILINE) \
            if out.exists() else None
        if found:
            return int(found.group(1))
        time.sleep(0.1)
    raise processes.Failed("callgrind wrote no summary")
