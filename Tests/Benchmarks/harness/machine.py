"""The machine that is measured on: what it is, and how busy others keep it."""

import os
import platform
import resource
import subprocess
import time


def raise_descriptor_limit():
    """A thousand connections need a thousand descriptors, in the servers too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def processors():
    """The processor for the server and the one for the load."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("run-bench: two processors are needed, one for the server, one for the load")
    return allowed[0], allowed[1]


def busy_seconds():
    """Processor seconds that everything on the machine has used since it started."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(word) for word in file.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def process_seconds(pid):
    """Processor seconds of one process, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(limit, longest):
    """Waits until others use less than `limit` processors, at most `longest` seconds."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        start, busy = time.monotonic(), busy_seconds()
        time.sleep(0.2)
        if (busy_seconds() - busy) / (time.monotonic() - start) < limit:
            return


def first_line(*command):
    """The first line a command prints, or what went wrong."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ((done.stdout or done.stderr).splitlines() or [""])[0]


def debian_version(package):
    return first_line("dpkg-query", "-W", "-f=${Version}\n", package)


def describe():
    """What a reader of the numbers needs to know of the machine."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
        "kernel": platform.release(),
        "load_average": os.getloadavg(),
        "revision": first_line("git", "describe", "--always", "--dirty"),
        "swift": first_line("swift", "--version"),
        "cpp_grpc": debian_version("libgrpc++-dev"),
        "cpp_protobuf": debian_version("libprotobuf-dev"),
        "grpc_go": debian_version("golang-google-grpc-dev"),
        "go": first_line("go", "version"),
        "nghttp2": debian_version("nghttp2-server"),
        "openssl": first_line("openssl", "version"),
    }
