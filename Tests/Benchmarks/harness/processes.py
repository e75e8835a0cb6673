"""Starts processes and makes sure that each of them ends."""

import os
import signal
import subprocess

_running = set()


class Failed(Exception):
    """A workload could not be measured."""


def start(command, processor, env=None, output=None):
    """Starts a command pinned to one processor. Should this program be killed, it ends too."""
    process = subprocess.Popen(
        ["taskset", "-c", str(processor), "setpriv", "--pdeathsig", "TERM", *map(str, command)],
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        stdout=output or subprocess.DEVNULL, stderr=subprocess.STDOUT)
    _running.add(process)
    return process


def stop(process, patience=5):
    """Ends a process by its id, gently at first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _running.discard(process)


def stop_all():
    for process in list(_running):
        stop(process)


def output_of(command, processor, timeout):
    """What a command prints, once it has ended well."""
    process = subprocess.Popen(
        ["taskset", "-c", str(processor), "setpriv", "--pdeathsig", "TERM", *map(str, command)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _running.add(process)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} took more than {timeout:.0f} s") from None
    finally:
        stop(process)
    if process.returncode != 0:
        raise Failed((err.strip() or out.strip()).splitlines()[-1:] or ["ended with an error"])
    return out


def end_on_signals():
    """SIGTERM and SIGHUP end this program as Ctrl-C does: through `finally`."""
    def leave(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
