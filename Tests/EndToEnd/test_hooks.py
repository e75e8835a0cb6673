"""Programs that are asked before a stage of a rotation begins, and may hold it."""

import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from lab import eventually
from test_metrics import local, samples
from test_rotation import name

SERVICES = pathlib.Path(__file__).resolve().parents[2] / "docs/services.md"

SCRIPT = """#!/bin/sh
# Keeps what it was asked, and agrees when it may.
cat >> "{asked}"
test -e "{go}/$1" && exit 0
printf 'the change window is \\033[31mclosed\\007 for %s\\n' "$2"
exit 1
"""


class Hooks:
    def __init__(self, directory):
        self.directory = directory / "hooks"
        self.directory.mkdir(mode=0o755)
        self.go = directory / "go"
        self.go.mkdir()
        self.asked_file = directory / "asked"
        self.asked_file.touch()

    def add(self, name, script=SCRIPT, mode=0o755):
        file = self.directory / name
        file.write_text(script.format(asked=self.asked_file, go=self.go))
        file.chmod(mode)
        return file

    def let(self, *stages):
        for stage in stages:
            (self.go / stage).touch()

    @property
    def asked(self):
        return [json.loads(line) for line in self.asked_file.read_text().splitlines()]


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


@pytest.fixture
def hooks(tmp_path):
    return Hooks(tmp_path)


def start(lab, hooks, *flags):
    return lab.start("--before-stage-dir", hooks.directory, "--hook-timeout", "5s", *flags)


def held(lab):
    status = lab.status()
    return status if status.HasField("stage_hold") and status.stage_hold.hook else None


def state(status):
    return name(status, "state").removeprefix("ROTATION_STATE_")


def phase(status):
    return name(status, "phase").removeprefix("ROTATION_PHASE_")


def held_phase(status):
    return name(status.stage_hold, "phase").removeprefix("ROTATION_PHASE_")


def examples():
    """The programs that services.md shows."""
    return re.findall(r"^```sh\n(#!/bin/sh\n.*?)^```", SERVICES.read_text(), re.DOTALL | re.MULTILINE)


def test_a_hook_holds_each_stage_through_a_kill_until_it_agrees(lab, hooks):
    hooks.add("10-window")
    start(lab, hooks)
    lab.import_cluster()
    planned = lab.secret_rotate("talos-ca", "--dry-run")
    assert planned.returncode == 0 and "10-window" in planned.stdout + planned.stderr, planned
    assert not hooks.asked, "a dry run asks nobody"
    ticket = lab.rotate(reason="routine").status
    for stage in ("PRE_ROTATE", "ROTATE", "POST_ROTATE"):
        status = eventually(lambda: (s := held(lab)) and held_phase(s) == stage and s, 60)
        before = {"PRE_ROTATE": ("PRE_ROTATE", 0), "ROTATE": ("PRE_ROTATE", 2), "POST_ROTATE": ("ROTATE", 2)}
        assert state(status) == "PAUSED" and (phase(status), status.machines_done) == before[stage]
        assert status.stage_hold.hook == "10-window"
        assert status.stage_hold.answer == "the change window is [31mclosed for demo"
        assert status.stage_hold.waiting_since.seconds > 0 and status.stage_hold.next_attempt_at.seconds > 0
        assert "10-window" in status.step and "change window" in status.error
        if stage == "ROTATE":
            lab.stop(signal.SIGKILL)
            start(lab, hooks)
            status = eventually(lambda: held(lab), 20)
            assert held_phase(status) == "ROTATE" and state(status) == "PAUSED"
            seen = samples(local(lab, "/metrics")[2])
            since = seen['omnid_rotation_held_since_timestamp_seconds{cluster="demo",stage="ROTATE"}']
            assert since == status.stage_hold.waiting_since.seconds
            refused = 'omnid_hook_answers_total{result="refused"}'
            eventually(lambda: samples(local(lab, "/metrics")[2])[refused] >= 1, 20)
            shown = lab.secret_rotate("status", "--wait=false")
            assert "10-window" in " ".join(shown.stdout.split()), shown.stdout
        hooks.let(stage)
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    first = hooks.asked[0]
    assert first == {
        "event": "before-stage", "cluster": "demo", "rotation": ticket.rotation_id, "component": "talos-ca",
        "stage": "PRE_ROTATE", "oldCAFingerprint": ticket.old_ca_fingerprint,
        "newCAFingerprint": ticket.new_ca_fingerprint, "controlPlanes": 1, "workers": 1,
        "requester": first["requester"], "reason": "routine", "attempt": 1}
    assert first["requester"].startswith("uid:")
    assert {ask["stage"] for ask in hooks.asked} == {"PRE_ROTATE", "ROTATE", "POST_ROTATE"}
    assert "PRIVATE KEY" not in hooks.asked_file.read_text()


def test_a_rotation_that_is_held_can_be_aborted_and_no_hook_is_asked_on_the_way_back(lab, hooks):
    hooks.add("window")
    start(lab, hooks)
    lab.import_cluster()
    hooks.let("PRE_ROTATE", "ROTATE")
    lab.rotate()
    eventually(lambda: (s := held(lab)) and held_phase(s) == "POST_ROTATE", 60)
    asked = len(hooks.asked)
    lab.call("AbortRotation", cluster=lab.name)
    assert name(lab.finish(), "state") == "ROTATION_STATE_ABORTED"
    assert [ask["stage"] for ask in hooks.asked[asked:]].count("PRE_ROTATE") == 0
    assert all(ask["stage"] == "POST_ROTATE" for ask in hooks.asked[asked:])


def test_a_hook_that_hangs_is_killed_with_its_children_and_holds_the_stage(lab, hooks, tmp_path):
    pids = tmp_path / "pids"
    hooks.add("hangs", f"#!/bin/sh\nsleep 600 &\none=$!\nsetsid sleep 600 &\necho $$ $one $! >> {pids}\nwait\n")
    lab.start("--before-stage-dir", hooks.directory, "--hook-timeout", "1s")
    lab.import_cluster()
    lab.rotate()
    status = eventually(lambda: held(lab), 20)
    assert status.stage_hold.answer.startswith("no answer within 1 s")
    for pid in pids.read_text().splitlines()[0].split():
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), 10)
    # What it holds is the rotation alone: everything else is answered.
    assert lab.omnictl("cluster", "list").returncode == 0
    begun = time.monotonic()
    assert lab.stop() == 0
    assert time.monotonic() - begun < 10


def test_what_is_not_as_it_should_be_holds_the_stage_with_what_to_do(lab, hooks):
    file = hooks.add("window", mode=0o644)
    start(lab, hooks)
    lab.import_cluster()
    hooks.let("PRE_ROTATE", "ROTATE", "POST_ROTATE")
    lab.rotate()
    status = eventually(lambda: held(lab), 20)
    assert "chmod +x" in status.stage_hold.answer
    file.chmod(0o777)
    eventually(lambda: (s := held(lab)) and "chmod go-w" in s.stage_hold.answer, 30)
    file.chmod(0o755)
    (hooks.directory / "window.bak").write_text("no program")
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    missing = subprocess.run(
        [lab.binaries / "omnid", "config", "check", "--state-dir", lab.state, "--before-stage-dir", "/nonexistent"],
        capture_output=True, text=True, timeout=30)
    assert missing.returncode == 2 and "/nonexistent" in missing.stdout + missing.stderr, missing


def test_a_hook_has_nothing_of_omnid_but_what_it_is_given(lab, hooks, tmp_path):
    seen = tmp_path / "seen"
    hooks.add("looks", "#!/bin/sh\n{{ env | sort; ls /proc/self/fd; pwd; grep SigBlk /proc/self/status; }} > "
              + str(seen) + "\nhead -c 1000000 /dev/zero\n")
    lab.start("--before-stage-dir", hooks.directory)
    lab.import_cluster()
    lab.rotate()
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    text = seen.read_text()
    names = {line.split("=")[0] for line in text.splitlines() if "=" in line}
    assert names <= {"PATH", "LANG", "OMNID_HOOK", "OMNID_RUN", "PWD", "OLDPWD", "SHLVL", "_"}, text
    descriptors = [int(line) for line in text.splitlines() if line.isdigit()]
    # ls has its directory open, as one more.
    assert max(descriptors) <= 4, text
    assert "\n/\n" in text and "SigBlk:\t0000000000000000" in text, text


def test_a_hook_may_lock_the_cluster_and_is_asked_again_when_it_is_unlocked(lab, hooks):
    hooks.add("locks", "#!/bin/sh\necho $1 >> {asked}\ntest -e {go}/unlocked && exit 0\n"
              + f"{lab.binaries}/omnictl --endpoint unix:{lab.socket} cluster lock demo --reason freeze\nexit 1\n")
    start(lab, hooks)
    lab.import_cluster()
    lab.rotate()
    status = eventually(lambda: (s := lab.status()) and "freeze" in s.step and s.stage_hold.hook and s, 30)
    assert state(status) == "PAUSED" and status.step.endswith("then the hooks before PRE_ROTATE are asked"), status.step
    asked = len(hooks.asked_file.read_text().splitlines())
    time.sleep(7)
    assert len(hooks.asked_file.read_text().splitlines()) == asked, "nobody is asked while it is locked"
    hooks.let("unlocked")
    assert lab.omnictl("cluster", "unlock", "demo").returncode == 0
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"


def test_the_time_for_hooks_is_changed_by_a_reload(lab, hooks, tmp_path):
    config = tmp_path / "omnid.yaml"
    config.write_text(f"before-stage-dir: {hooks.directory}\nhook-timeout: 1h\n")
    hooks.add("hangs", "#!/bin/sh\necho $1 >> {asked}\nsleep 600\n")
    lab.start("--config", config)
    lab.import_cluster()
    config.write_text(f"before-stage-dir: {hooks.directory}\nhook-timeout: 1s\n")
    lab.omnid.send_signal(signal.SIGHUP)
    eventually(lambda: "reading the configuration again" in lab.log(), 10)
    lab.rotate()
    status = eventually(lambda: held(lab), 20)
    assert status.stage_hold.answer == "no answer within 1 s"
    assert "need" not in lab.log() or "hook" not in lab.log().split("hold after a restart")[-1]


class Gatekeeper(http.server.BaseHTTPRequestHandler):
    """A service that is asked over HTTP, and has an opinion of its own."""

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.headers["content-type"], question))
        is_open = question["stage"] in self.server.opened
        body = b"" if is_open else b"the balancer does not trust the new CA yet"
        self.send_response(204 if is_open else 409)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_the_example_with_curl_asks_a_service_and_shows_its_answer(lab, hooks):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gatekeeper)
    server.asked, server.opened = [], set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/before-stage"
        script, = [each for each in examples() if "curl" in each]
        assert "https://change.example.org/before-stage" in script
        file = hooks.add("20-balancer", "")
        file.write_text(script.replace("https://change.example.org/before-stage", url))
        start(lab, hooks)
        lab.import_cluster()
        lab.rotate()
        for stage in ("PRE_ROTATE", "ROTATE", "POST_ROTATE"):
            status = eventually(lambda: (s := held(lab)) and held_phase(s) == stage and s, 60)
            assert "the balancer does not trust the new CA yet" in status.stage_hold.answer, status
            server.opened.add(stage)
        assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
        assert {content for content, _ in server.asked} == {"application/json"}
        assert {question["cluster"] for _, question in server.asked} == {"demo"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_example_with_curl_does_not_agree_when_the_service_is_gone(tmp_path):
    script, = [each for each in examples() if "curl" in each]
    file = tmp_path / "hook"
    file.write_text(script.replace("https://change.example.org", "http://127.0.0.1:9"))
    file.chmod(0o755)
    result = subprocess.run([file, "ROTATE", "prod"], input="{}\n", capture_output=True, text=True, timeout=30)
    assert result.returncode != 0 and "curl: (7)" in result.stderr, result


@pytest.mark.parametrize("hour, cluster, agrees", [("01", "prod", True), ("04", "prod", True), ("05", "prod", False),
                                                   ("00", "prod", False), ("09", "prod", False), ("12", "test", True)])
def test_the_example_of_a_change_window_keeps_it(tmp_path, hour, cluster, agrees):
    script, = [each for each in examples() if "change window" in each]
    (tmp_path / "date").write_text(f"#!/bin/sh\necho {hour}\n")
    (tmp_path / "date").chmod(0o755)
    file = tmp_path / "hook"
    file.write_text(script)
    file.chmod(0o755)
    result = subprocess.run([file, "ROTATE", cluster], input="{}\n", capture_output=True, text=True, timeout=30,
                            env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (result.returncode == 0) == agrees and (agrees or "01:00 to 05:00" in result.stdout), result
