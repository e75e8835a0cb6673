"""`omnid` itself as it is served: states with clusters in them, the running daemon, requests."""

import time

from . import processes

SERVICE = "/omni.management.v1.ManagementService/"
# What journal-seed calls its first cluster: three control planes and two workers, rotated once.
FIRST_CLUSTER = "cluster-10000"


def state(bench, clusters):
    """A state folder with so many clusters in it; made once for a whole run."""
    folder = bench.files.folder / f"state-{clusters}"
    if folder.exists():
        return folder
    folder.mkdir(mode=0o700)
    if clusters:
        with Omnid(bench, folder):
            pass  # makes its keys and its database
        processes.output_of(
            [bench.files.release / "journal-seed", folder / "omnid.db", folder / "master.key",
             clusters],
            bench.server_processor, 300)
    return folder


class Omnid:
    """A running daemon; use it with `with`. The load generators take it for a server."""

    port = None
    is_plain = False

    def __init__(self, bench, folder, program=None, under=(), patience=120):
        self.files = bench.files
        self.files.socket.unlink(missing_ok=True)
        self.log = open(self.files.folder / "omnid.log", "w+", encoding="utf-8")
        self.process = processes.start(
            [*under, program or self.files.release / "omnid", "serve", "--state-dir", folder,
             "--listen", f"unix:{self.files.socket}"],
            bench.server_processor, output=self.log)
        self.pid = self.process.pid
        self._wait(patience)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.stop(self.process, patience=60)
        self.log.close()

    def address(self):
        """The options of stream-load that lead here."""
        return ["--unix", self.files.socket]

    def _wait(self, patience):
        """Until it says that it serves."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            self.log.seek(0)
            if " serving " in self.log.read():
                return
            time.sleep(0.01)
        processes.stop(self.process)
        self.log.seek(0)
        raise processes.Failed(f"omnid does not serve: {self.log.read().strip().splitlines()[-1:]}")


def text_field(number, text):
    """A protobuf field of that text; short ones only."""
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def number_field(number, value):
    """A protobuf field of that number, which is below 128."""
    return bytes([number << 3, value])
