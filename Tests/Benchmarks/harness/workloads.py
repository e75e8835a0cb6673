"""The rows of the table: what is run against whom, what counts, and the aim.

A workload's `run` measures one server once and returns a dictionary. `value` picks what is compared.
"""

from dataclasses import dataclass, field
from typing import Callable

from .servers import CEILING, GRPC_PEERS, MEBIBYTE, OURS, Server

EVERYONE = (OURS, *GRPC_PEERS, CEILING)
GRPC = (OURS, *GRPC_PEERS)


@dataclass
class Aim:
    """`text` for the reader; each limit is a ratio ours/other, or an absolute value."""

    text: str
    peer_at_least: float | None = None
    peer_at_most: float | None = None
    ceiling_at_least: float | None = None
    ceiling_at_most: float | None = None
    at_most: float | None = None
    at_least: float | None = None


@dataclass
class Workload:
    name: str
    title: str
    unit: str
    aim: Aim
    servers: tuple
    run: Callable  # (bench, server name) -> dict
    value: Callable = field(default=lambda sample: sample["rate"])
    higher_is_better: bool = True
    # Whether processor time per call can be compared (a throughput).
    per_processor: bool = False


def on_server(body, tls=False, options=()):
    """A run against a server that is started for it and stopped after it."""
    def run(bench, name):
        with Server(
                name, bench.files, bench.server_processor, tls=tls, options=options) as server:
            return body(bench, server)
    return run


def unary(connections, streams, *options, tls=False):
    return on_server(
        lambda bench, server: bench.load.stream_load(
            "unary", server, "--connections", connections, "--streams", streams, *options), tls=tls)


def unary_large(bench, server):
    options = ["--path", "/x.S/large"] if server.is_plain else []
    return bench.load.stream_load(
        "unary", server, "--connections", 2, "--streams", 4, "--size", MEBIBYTE, *options)


def latency(bench, server):
    return bench.load.stream_load("latency", server, "--spin")


def fan_out(bench, server):
    return bench.load.stream_load(
        "fan-out", server, "--connections", 10, "--watchers", 10_000, "--rounds", bench.ticks,
        "--spin")


def memory(connections, watchers):
    options = ["--connections", connections]
    if watchers:
        options += ["--watchers", watchers]
    return on_server(lambda bench, server: bench.load.stream_load("memory", server, *options))


def growing(points):
    """Measures ours at each point on the same server; `fall` compares the last with the best."""
    def run(bench, name):
        rates = {}
        with Server(name, bench.files, bench.server_processor) as server:
            for label, options in points:
                sample = bench.load.stream_load("unary", server, *options, timeout=120)
                rates[label] = sample
        first, last = (rates[points[0][0]], rates[points[-1][0]])
        best = max(sample["rate"] for sample in rates.values())
        return {
            "fall": 1 - last["rate"] / best,
            "fall_per_cpu": 1 - per_cpu(last) / max(per_cpu(sample) for sample in rates.values()),
            "rates": {label: sample["rate"] for label, sample in rates.items()},
            "other_cpu": max(first["other_cpu"], last["other_cpu"]),
        }
    return run


def per_cpu(sample):
    """Calls for one second of the server's processor time."""
    return sample["rate"] / max(sample["server_cpu"], 0.01)


def call_options(connections, streams, watchers=0):
    options = ["--connections", connections, "--streams", streams]
    return options + (["--watchers", watchers] if watchers else [])


def startup(bench, name):
    """The bench server itself, as a floor for what follows."""
    server = bench.files.release / "rpc-bench-server"
    return bench.load.startup(
        ["--path", "/x.S/y"], [server, bench.files.socket], bench.server_processor)


LOWER = dict(higher_is_better=False)

WORKLOADS = [
    Workload(
        "unary", "unary, 64 B, 8 connections x 50 streams (h2load)", "calls/s",
        Aim(">= 4 x; >= 0.8 x nghttpd", peer_at_least=4, ceiling_at_least=0.8), EVERYONE,
        on_server(lambda bench, server: bench.load.h2load(server, 8, 50)), per_processor=True),
    Workload(
        "unary-bare", "the same without interceptors and deadline: the stack alone (h2load)",
        "calls/s", Aim("(no aim)"), (OURS,),
        on_server(
            lambda bench, server: bench.load.h2load(server, 8, 50, timeout=False),
            options=["--bare"]), per_processor=True),
    Workload(
        "unary-stream-load", "unary, the same load by stream-load", "calls/s",
        Aim(">= 4 x; >= 0.8 x nghttpd", peer_at_least=4, ceiling_at_least=0.8), EVERYONE,
        unary(8, 50), per_processor=True),
    Workload(
        "unary-tls", "the same over TLS 1.3 (h2load)", "calls/s",
        Aim(">= 2.5 x", peer_at_least=2.5), EVERYONE,
        on_server(lambda bench, server: bench.load.h2load(server, 8, 50), tls=True),
        per_processor=True),
    Workload(
        "unary-tls-stream-load", "the same over TLS 1.3 (stream-load)", "calls/s",
        Aim(">= 2.5 x", peer_at_least=2.5), EVERYONE, unary(8, 50, tls=True), per_processor=True),
    Workload(
        "latency-p50", "one call at a time, p50", "us",
        Aim("<= 1.1 x nghttpd; < every peer", ceiling_at_most=1.1, peer_at_most=1.0), EVERYONE,
        on_server(latency), value=lambda sample: sample["p50_us"], **LOWER),
    Workload(
        "latency-p99", "one call at a time, p99", "us",
        Aim("<= 1.1 x nghttpd; < every peer", ceiling_at_most=1.1, peer_at_most=1.0), EVERYONE,
        on_server(latency), value=lambda sample: sample["p99_us"], **LOWER),
    Workload(
        "unary-1MiB", "unary, 1 MiB, 2 connections x 4 streams", "MiB/s",
        Aim(">= 1.5 x", peer_at_least=1.5), EVERYONE, on_server(unary_large),
        value=lambda sample: sample["bytes_per_second"] / MEBIBYTE, per_processor=True),
    Workload(
        "stream", "server streaming, one stream, 64 B", "messages/s",
        Aim(">= 3 x", peer_at_least=3), GRPC,
        on_server(lambda bench, server: bench.load.stream_load("stream", server)),
        per_processor=True),
    Workload(
        "fan-out", "one tick to 10,000 watchers on 10 connections", "ms",
        Aim("<= 0.25 x", peer_at_most=0.25), GRPC, on_server(fan_out),
        value=lambda sample: sample["ms"], **LOWER),
    Workload(
        "memory-watcher", "memory for an idle watcher (of 10,000 on 10)", "KiB",
        Aim("<= 2 KiB", at_most=2), GRPC, memory(10, 10_000),
        value=lambda sample: (sample["watching_kib"] - sample["called_kib"]) / 10_000, **LOWER),
    Workload(
        "memory-connection", "memory for an idle connection (of 1,000)", "KiB",
        Aim("<= 24 KiB", at_most=24), EVERYONE, memory(1000, 0),
        value=lambda sample: (sample["called_kib"] - sample["idle_kib"]) / 1000, **LOWER),
    Workload(
        "memory-idle", "memory of an idle server", "MiB", Aim("<= 12 MiB", at_most=12), EVERYONE,
        memory(1, 0), value=lambda sample: sample["idle_kib"] / 1024, **LOWER),
    Workload(
        "scale-connections", "1 -> 1,000 connections, 50 streams on each", "fall of calls/s",
        Aim("< 15 %", at_most=0.15), (OURS,),
        growing([(str(count), call_options(count, 50)) for count in (1, 10, 100, 1000)]),
        value=lambda sample: sample["fall"], **LOWER),
    Workload(
        "scale-spread", "1,000 calls under way, on 1 -> 1,000 connections", "fall of calls/s",
        Aim("(no aim)"), (OURS,),
        growing([(str(count), call_options(count, 1000 // count)) for count in (1, 10, 100, 1000)]),
        value=lambda sample: sample["fall"], **LOWER),
    Workload(
        "scale-streams", "1 -> 100,000 streams under way on a connection", "fall of calls/s",
        Aim("< 15 %", at_most=0.15), (OURS,),
        growing([(str(count), call_options(1, count)) for count in (1, 100, 1000, 10_000, 100_000)]),
        value=lambda sample: sample["fall"], **LOWER),
    Workload(
        "scale-watchers", "50 calls under way beside 0 -> 100,000 open streams", "fall of calls/s",
        Aim("< 15 %", at_most=0.15), (OURS,),
        growing([(str(count), call_options(1, 50, count)) for count in (0, 1000, 10_000, 100_000)]),
        value=lambda sample: sample["fall"], **LOWER),
    Workload(
        "startup-bench-server", "rpc-bench-server: start to first answer", "ms", Aim("(no aim)"),
        (OURS,), startup, value=lambda sample: sample["ms"], **LOWER),
]
