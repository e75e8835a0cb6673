"""Asks every API server, ten times a second, whether it is ready, and keeps what came of it."""

import dataclasses
import threading
import time

import wire

EVERY = 0.1


@dataclasses.dataclass
class Outage:
    begin: float
    last: float
    end: float | None = None


class Probe:
    """A thread for each API server; `outages` has, by name, when one was not ready.

    A time is a moment of time.monotonic(). An outage begins with the probe that was sent first in it; `last`
    is when the last one was sent that was not answered, and `end` when one is answered again. The API server
    was back between the two: how long that takes to be seen is the probe's own time.
    """

    def __init__(self, nodes, credential):
        self.outages = {node.name: [] for node in nodes}
        self.count = {node.name: 0 for node in nodes}
        self.use(credential)
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(node,), daemon=True)
                        for node in nodes]

    def use(self, *credentials):
        """From now on an API server is ready if it says so to one of these."""
        self.contexts = [credential.context() for credential in credentials]

    def run(self, node):
        outages = self.outages[node.name]
        while not self.stopped.is_set():
            sent = time.monotonic()
            ready = self.is_ready(node)
            self.count[node.name] += 1
            down = bool(outages) and outages[-1].end is None
            if not ready and not down:
                outages.append(Outage(sent, sent))
            elif not ready:
                outages[-1].last = sent
            elif down:
                outages[-1].end = time.monotonic()
            self.stopped.wait(max(0, sent + EVERY - time.monotonic()))

    def is_ready(self, node):
        for context in self.contexts:
            try:
                wire.kubernetes_get(node.address, node.kubernetes_port, context, "/readyz")
                return True
            except (wire.Refused, OSError):
                pass
        return False

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)
