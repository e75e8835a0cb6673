"""The two load generators: h2load, and stream-load of this repository."""

import json
import re
import resource
import time

from . import machine, processes


# What every unary call sends, as real clients do: omnictl waits a minute for an answer.
GRPC_TIMEOUT = "60S"


class Load:
    """Runs one workload against one server and returns what was measured, as a dictionary."""

    def __init__(self, files, processor, seconds, warm_up):
        self.files = files
        self.processor = processor
        self.seconds = seconds
        self.warm_up = warm_up

    def stream_load(self, workload, server, *options, timeout=60):
        command = [
            self.files.bench / "stream-load", workload, *server.address(), "--pid", server.pid,
            "--seconds", self.seconds, "--warm-up", self.warm_up, "--timeout", timeout, *options]
        limit = timeout * 2 + self.seconds + self.warm_up
        return json.loads(processes.output_of(command, self.processor, limit))

    def startup(self, what, command, processor, timeout=30):
        """Starts a server on that processor and waits for its answer to what stream-load calls."""
        words = [self.files.bench / "stream-load", "startup", "--unix", self.files.socket,
                 "--processor", processor, *what, "--timeout", timeout, "--", *command]
        return json.loads(processes.output_of(words, self.processor, timeout + 10))

    def h2load(self, server, connections, streams, path="/x.S/y", body=None, timeout=True):
        command = self._h2load(server, connections, streams, path, body, timeout) + [
            "-D", self.seconds, f"--warm-up-time={self.warm_up}"]
        start, busy, own = time.monotonic(), machine.busy_seconds(), children_seconds()
        of_server = machine.process_seconds(server.pid)
        text = processes.output_of(command, self.processor, self.seconds + self.warm_up + 30)
        span = time.monotonic() - start
        of_server = machine.process_seconds(server.pid) - of_server
        own = children_seconds() - own
        other = max(0.0, machine.busy_seconds() - busy - own - of_server)
        return {**read_h2load(text), "seconds": self.seconds, "server_cpu": of_server / span,
                "client_cpu": own / span, "other_cpu": other / span}


    def h2load_calls(
            self, server, connections, streams, calls, path="/x.S/y", body=None, timeout=True):
        """So many calls, however long they take."""
        command = self._h2load(server, connections, streams, path, body, timeout) + ["-n", calls]
        return read_h2load(processes.output_of(command, self.processor, 300))

    def _h2load(self, server, connections, streams, path, body, timeout):
        base = f"https://127.0.0.1:{server.port}" if server.port else "http://localhost"
        command = [
            "h2load", "-c", connections, "-m", streams, "-d", self._body(body),
            "-H", "content-type: application/grpc", "-H", "te: trailers",
            "--tls13-ciphers=TLS_AES_128_GCM_SHA256"]
        if timeout:
            command += ["-H", f"grpc-timeout: {GRPC_TIMEOUT}"]
        if not server.port:
            command += ["-B", f"unix:{self.files.socket}"]
        return command + [base + path]

    def _body(self, message):
        """A file with that message in its envelope; the echo's for None."""
        if message is None:
            return self.files.body
        file = self.files.folder / "message"
        file.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
        return file


def children_seconds():
    """Processor seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_h2load(text):
    rate = re.search(r"finished in [^,]+, ([0-9.]+) req/s", text)
    counts = re.search(
        r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored",
        text)
    if not rate or not counts:
        raise processes.Failed("h2load printed no result")
    done, succeeded, failed, errored = map(int, counts.groups())
    if succeeded == 0 or failed or errored or succeeded != done:
        raise processes.Failed(f"h2load: {done} done, {succeeded} succeeded, {failed} failed")
    return {"calls": done, "rate": float(rate.group(1))}
