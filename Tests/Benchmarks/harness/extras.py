"""Rows that need more than a bench server: the codec, and `omnid` itself.

Each is there as soon as its program has been built.
"""

import re
import shutil
import subprocess

from . import instructions, omnid, processes
from .servers import OURS, Server
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
    if instructions.available():
        found.append(served_call())
    if (release / "omnid").exists() and (release / "journal-seed").exists():
        found += [
            omnid_start("startup-empty", "omnid: start until SERVING, nothing stored", 20, 0),
            omnid_start("startup-1000", "omnid: start until SERVING, 1,000 clusters", 200, 1000),
            first_answer(), cluster_page()]
        if instructions.available():
            found.append(rotation_status())
    return found


def omnid_start(name, title, limit, clusters):
    def run(bench, _):
        folder = omnid.state(bench, clusters)
        if not clusters:
            shutil.rmtree(folder)
            folder.mkdir(mode=0o700)
        return start(bench, folder, ["--health"])

    return Workload(
        name, title, "ms", Aim(f"<= {limit} ms", at_most=limit), (OURS,), run,
        value=lambda sample: sample["ms"], **LOWER)


def first_answer():
    """Until a page of clusters is answered, which does not wait until the whole journal has been read."""
    def run(bench, _):
        return start(bench, omnid.state(bench, 10_000),
                     ["--path", omnid.SERVICE + "ListClusters", "--size", 0])

    return Workload(
        "first-answer-10000", "omnid: start to the first answer, 10,000 clusters", "ms",
        Aim("<= 50 ms", at_most=50), (OURS,), run, value=lambda sample: sample["ms"], **LOWER)


def start(bench, folder, what):
    command = [bench.files.release / "omnid", "serve", "--state-dir", folder,
               "--listen", f"unix:{bench.files.socket}"]
    return bench.load.startup(what, command, bench.server_processor, timeout=60)


def served_call():
    def run(bench, _):
        bare, served = bare_echo(bench), echo(bench, [], timeout=True)
        return {"bare": bare, "served": served, "ratio": served / bare}

    return Workload(
        "served-call", "a call with omnid's interceptors and a deadline, against a bare echo",
        "x its instructions", Aim("<= 1.2 x", at_most=1.2), (OURS,), run,
        value=lambda sample: sample["ratio"], **LOWER)


def rotation_status():
    def run(bench, _):
        folder = omnid.state(bench, 10)
        status = instructions.per_call(
            bench, bench.files.release / "omnid",
            lambda program, under: omnid.Omnid(bench, folder, program, under),
            omnid.SERVICE + "GetRotationStatus", omnid.text_field(1, omnid.FIRST_CLUSTER))
        bare = bare_echo(bench)
        return {"bare": bare, "status": status, "ratio": status / bare}

    return Workload(
        "rotation-status", "omnid: GetRotationStatus of 5 machines, against a bare echo",
        "x its instructions", Aim("<= 2 x", at_most=2), (OURS,), run,
        value=lambda sample: sample["ratio"], **LOWER)


def bare_echo(bench):
    """Instructions of a call with neither interceptors nor a deadline: the stack alone."""
    return echo(bench, ["--bare"], timeout=False)


def echo(bench, options, timeout):
    return instructions.per_call(
        bench, bench.files.release / "rpc-bench-server",
        lambda program, under: Server(
            OURS, bench.files, bench.server_processor, options=options, program=program,
            under=under),
        "/x.S/y", None, timeout)


def cluster_page():
    def run(bench, _):
        def rate(method, request):
            # The first answer may take long; that is a row of its own.
            bench.load.h2load_calls(daemon, 1, 1, 1, omnid.SERVICE + method, request)
            return bench.load.h2load(daemon, 1, 10, omnid.SERVICE + method, request)["rate"]

        with omnid.Omnid(bench, omnid.state(bench, 10_000)) as daemon:
            one = rate("GetCluster", omnid.text_field(1, omnid.FIRST_CLUSTER))
            page = rate("ListClusters", omnid.number_field(1, 1))
        return {"get": one, "page": page, "ratio": one / page}

    return Workload(
        "cluster-page", "omnid: ListClusters, a page of one among 10,000, against GetCluster",
        "x its time", Aim("<= 2 x", at_most=2), (OURS,), run,
        value=lambda sample: sample["ratio"], **LOWER)


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
