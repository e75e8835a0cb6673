"""CloudEvents that omnid sends to the targets of --notify-file."""

import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest
import yaml

from lab import eventually
from receiver import Receiver
from test_drift import put_back
from test_metrics import local, samples
from test_rotation import name

SECRET = bytes(range(32))
ROTATION = ["rotation.started", "rotation.stage-begun", "rotation.stage-begun", "rotation.stage-begun",
            "rotation.ended"]


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


@pytest.fixture
def receivers(tmp_path):
    made = []

    def make(**options):
        directory = tmp_path / f"receiver{len(made)}"
        directory.mkdir()
        made.append(Receiver(directory, SECRET, **options))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()
        assert not receiver.faults, receiver.faults


@pytest.fixture
def targets(tmp_path):
    """Writes a file of targets; answers with its path."""
    secret = tmp_path / "ops.secret"
    secret.touch(mode=0o600)
    secret.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n")

    def write(*receivers, **settings):
        entries = []
        for number, receiver in enumerate(receivers):
            entry = {"name": f"t{number}", "url": getattr(receiver, "url", receiver), "secret-file": "ops.secret"}
            if hasattr(receiver, "ca"):
                entry["ca-file"] = str(receiver.ca)
            entries.append({**entry, **settings})
        path = tmp_path / "notify.yaml"
        path.write_text(json.dumps({"source": "https://omnid.example.org", "targets": entries}))
        return path

    return write


def omnid(lab, *arguments):
    return subprocess.run(
        [lab.binaries / "omnid", *arguments, "--state-dir", lab.state], capture_output=True, text=True, timeout=60)


def of_target(lab, metric, target="t0"):
    return samples(local(lab, "/metrics")[2]).get(f'{metric}{{target="{target}"}}', 0)


def test_a_rotation_is_told_of_from_its_beginning_to_its_end(lab, receivers, targets):
    receiver = receivers()
    lab.start("--notify-file", targets(receiver))
    lab.import_cluster()
    ticket = lab.rotate(reason="laptop of Ann").status
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    eventually(lambda: receiver.kinds() == ROTATION, 20)
    started, *stages, ended = receiver.events
    for delivery in receiver.deliveries:
        event = delivery.event
        assert delivery.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
        assert delivery.headers["User-Agent"].startswith("omnid/")
        assert event["specversion"] == "1.0" and event["id"] == delivery.id
        assert event["source"] == f"https://omnid.example.org/clusters/{lab.name}"
        assert event["subject"] == event["data"]["rotationId"] == ticket.rotation_id
        assert "PRIVATE KEY" not in json.dumps(event)
    assert [event["data"]["phase"] for event in stages] == [
        "ROTATION_PHASE_PRE_ROTATE", "ROTATION_PHASE_ROTATE", "ROTATION_PHASE_POST_ROTATE"]
    assert started["data"]["reason"] == "laptop of Ann"
    assert started["data"]["component"] == "SECRET_COMPONENT_TALOS_CA"
    assert ended["data"]["state"] == "ROTATION_STATE_SUCCEEDED"
    assert ended["data"]["oldCaFingerprint"] == ticket.old_ca_fingerprint
    times = [event["time"] for event in receiver.events]
    assert times == sorted(times)
    # Counted when the answer has come, and so a moment after the event was taken.
    eventually(lambda: of_target(lab, "omnid_notifications_sent_total") == len(ROTATION), 5)
    assert of_target(lab, "omnid_notifications_pending") == 0
    kept = lab.state / "notifications/t0"
    assert kept.stat().st_mode & 0o777 == 0o600
    # Nothing is told again, by the same process or the next one.
    lab.stop()
    lab.start("--notify-file", targets(receiver))
    lab.rotate()
    lab.finish()
    eventually(lambda: receiver.kinds() == ROTATION * 2, 20)
    assert len(receiver.deliveries) == 2 * len(ROTATION)


def test_the_verification_in_the_documentation_takes_what_omnid_sends_and_nothing_else(lab, receivers, targets, tmp_path):
    text = (pathlib.Path(__file__).parents[2] / "docs/services.md").read_text()
    block = re.search(r"```python\n(.*?def is_from_omnid.*?)```", text, re.DOTALL)[1]
    documented = {}
    exec(block, documented)
    verify = documented["is_from_omnid"]
    receiver = receivers()
    result = omnid(lab, "notify-test", "--notify-file", targets(receiver))
    assert result.returncode == 0, result.stderr
    (delivery,) = receiver.deliveries
    secret = (tmp_path / "ops.secret").read_text()
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    assert verify(secret, headers, delivery.body)
    assert not verify(secret, headers, delivery.body + b" ")
    assert not verify(f"whsec_{base64.b64encode(bytes(32)).decode()}", headers, delivery.body)
    assert not verify(secret, {**headers, "webhook-id": "evt_0"}, delivery.body)
    old = {**headers, "webhook-timestamp": str(delivery.timestamp - 1000)}
    assert not verify(secret, old, delivery.body)


def test_what_a_target_refuses_is_sent_until_it_is_taken(lab, receivers, targets):
    receiver = receivers()

    def long(handler):
        handler.send_response(503)
        handler.send_header("content-length", str(10 << 20))
        handler.end_headers()
        for _ in range(160):
            handler.wfile.write(b"x" * 65536)

    def redirect(handler):
        handler.send_response(307)
        handler.send_header("location", f"{receiver.url}/elsewhere")
        handler.send_header("content-length", "0")
        handler.end_headers()

    def nothing(handler):
        handler.close_connection = True

    receiver.answers.extend([500, 404, long, redirect, nothing])
    lab.start("--notify-file", targets(receiver))
    lab.import_cluster()
    lab.rotate()
    lab.finish()
    eventually(lambda: sorted(receiver.kinds()) == sorted(ROTATION), 60)
    assert len(receiver.deliveries) == len(ROTATION) + 5
    # A try has a signature of its own time, and the identifier of the event.
    first = [d for d in receiver.deliveries if d.id == receiver.deliveries[0].id]
    assert len({json.dumps(d.event) for d in first}) == 1
    eventually(lambda: of_target(lab, "omnid_notifications_sent_total") == len(ROTATION), 5)
    assert of_target(lab, "omnid_notification_failed_tries_total") == 5
    log = lab.log()
    assert log.count("notifications cannot be delivered") == 1, log
    assert "the status is 500" in log and "notifications are delivered again" in log


def test_a_rotation_ends_while_a_target_has_not_answered_and_another_one_is_told(lab, receivers, targets):
    hanging, quick = receivers(), receivers()
    release = threading.Event()
    hanging.answers.extend([lambda handler: release.wait(60)] * 50)
    lab.start("--notify-file", targets(hanging, quick))
    lab.import_cluster()
    lab.rotate()
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    eventually(lambda: quick.kinds() == ROTATION, 20)
    assert hanging.deliveries and not hanging.events
    assert lab.stop(signal.SIGTERM) == 0
    lab.logged("stopped")
    release.set()


def test_what_was_not_delivered_when_omnid_died_is_sent_after_its_restart(lab, receivers, targets):
    receiver = receivers()
    receiver.answers.extend([503] * 4)
    file = targets(receiver)
    lab.start("--notify-file", file)
    lab.import_cluster()
    lab.rotate()
    receiver.answers.extend([503] * 1000)
    assert name(lab.finish(), "state") == "ROTATION_STATE_SUCCEEDED"
    lab.stop(signal.SIGKILL)
    before = {d.id for d in receiver.deliveries}
    assert not receiver.events
    receiver.answers.clear()
    lab.start("--notify-file", file)
    eventually(lambda: receiver.kinds() == ROTATION, 20)
    assert before <= {event["id"] for event in receiver.events}


def test_waits_pauses_aborts_and_drift_are_told_of(lab, receivers, targets):
    receiver = receivers()
    lab.start("--notify-file", targets(receiver, **{"wait-longer-than": "1s"}))
    lab.import_cluster()
    lab.rotate_without(lab.workers[0].name)
    waiting = eventually(lambda: next((e for e in receiver.events if e["type"].endswith(".waiting")), None), 60)
    assert waiting["data"]["machines"][0]["machine"] == lab.workers[0].name
    assert waiting["data"]["machines"][0]["lastError"]
    lab.call("AbortRotation", cluster=lab.name, rotation_id=lab.status().rotation_id)
    eventually(lambda: "rotation.abort-requested" in receiver.kinds(), 20)
    lab.switch(lab.workers[0].name, "start")
    assert name(lab.finish(), "state") == "ROTATION_STATE_ABORTED"
    eventually(lambda: receiver.kinds()[-1] == "rotation.ended", 20)
    assert receiver.events[-1]["data"]["state"] == "ROTATION_STATE_ABORTED"


def test_the_settings_are_read_again_on_sighup_and_wrong_ones_change_nothing(lab, receivers, targets):
    first, second = receivers(), receivers()
    file = targets(first)
    lab.start("--notify-file", file)
    lab.import_cluster()
    lab.rotate()
    lab.finish()
    eventually(lambda: first.kinds() == ROTATION, 20)
    file.write_text("targets: nonsense\n")
    lab.omnid.send_signal(signal.SIGHUP)
    eventually(lambda: "the targets of notifications cannot be read" in lab.log(), 10)
    targets(first, second)
    lab.omnid.send_signal(signal.SIGHUP)
    eventually(lambda: (lab.state / "notifications/t1").exists(), 10)
    lab.rotate()
    lab.finish()
    # A target is told of what has happened since it was named.
    eventually(lambda: first.kinds() == ROTATION * 2 and second.kinds() == ROTATION, 20)
    first.answers.append(410)
    lab.rotate()
    lab.finish()
    eventually(lambda: second.kinds() == ROTATION * 2, 20)
    assert first.kinds() == ROTATION * 2
    lab.logged("wants no more notifications")
    lab.omnid.send_signal(signal.SIGHUP)
    eventually(lambda: first.kinds() == ROTATION * 3, 20)


def test_a_certificate_of_another_ca_and_a_proxy_of_the_environment_are_not_used(lab, receivers, targets, monkeypatch):
    stranger, known = receivers(), receivers()
    stranger.ca = known.ca
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    file = targets(stranger, known)
    result = omnid(lab, "notify-test", "--notify-file", file)
    assert result.returncode == 1
    assert "t1: has taken evt_" in result.stdout
    assert "t0: has not taken evt_" in result.stderr and "certificate" in result.stderr
    assert not stranger.deliveries and known.kinds() == ["notification.test"]


def test_targets_can_be_tried_and_checked_beforehand(lab, receivers, targets, tmp_path):
    receiver = receivers(tls=False)
    file = targets(receiver)
    told = ("--notify-file", file)
    assert omnid(lab, "config", "check", *told).returncode == 0
    result = omnid(lab, "notify-test", "--target", "t0", *told)
    assert result.returncode == 0 and result.stdout.startswith("t0: has taken evt_"), result.stderr
    assert receiver.kinds() == ["notification.test"]
    assert omnid(lab, "notify-test", "--target", "t9", *told).returncode == 2
    assert omnid(lab, "notify-test").returncode == 2
    (tmp_path / "ops.secret").chmod(0o644)
    result = omnid(lab, "config", "check", *told)
    assert result.returncode == 2
    assert result.stderr.startswith(f"omnid: --notify-file: {file}:1: secret-file: ")
    assert "chmod 600" in result.stderr
    assert omnid(lab, "serve", *told).returncode == 1


def test_a_record_of_deliveries_that_is_damaged_is_told_of_and_a_day_is_told_again(lab, receivers, targets):
    receiver = receivers()
    file = targets(receiver)
    lab.start("--notify-file", file)
    lab.import_cluster()
    lab.rotate()
    lab.finish()
    eventually(lambda: receiver.kinds() == ROTATION, 20)
    lab.stop()
    (lab.state / "notifications/t0").write_text("omnid notifications 1\nsince 17")
    lab.start("--notify-file", file)
    eventually(lambda: len(receiver.deliveries) == 2 * len(ROTATION), 20)
    assert receiver.kinds() == ROTATION, "the identifiers are the same"
    lab.logged("what a target of notifications was told of cannot be read")


def test_a_credential_that_was_issued_for_long_is_told_of_once_before_it_ends(lab, receivers, targets, tmp_path):
    receiver = receivers()
    file = targets(receiver)
    lab.start("--notify-file", file)
    lab.import_cluster()
    # Seven days and a little, so that the notice begins soon; one for seven days, and one as they are issued by default.
    for verb, ttl in (("kubeconfig", "168h0m3s"), ("kubeconfig", "168h"), ("talosconfig", "12h")):
        issued = lab.omnictl("cluster", "-n", lab.name, verb, "--ttl", ttl, "--output-file", str(tmp_path / f"{verb}-{ttl}"))
        assert issued.returncode == 0, issued
    seen = samples(local(lab, "/metrics")[2])
    end = seen[f'omnid_credential_next_expiry_timestamp_seconds{{cluster="{lab.name}",component="kubernetes-ca"}}']
    assert 0 < end - time.time() - 7 * 86400 <= 3
    assert f'omnid_credential_next_expiry_timestamp_seconds{{cluster="{lab.name}",component="talos-ca"}}' not in seen
    time.sleep(max(0, end + 1 - 7 * 86400 - time.time()))
    for _ in range(2):
        # A new process looks at every cluster at once, and knows what it has told.
        lab.stop()
        lab.start("--notify-file", file)
        eventually(lambda: receiver.kinds() == ["credential.expiring"], 20)
        time.sleep(1)
    (delivery,) = receiver.deliveries
    event = delivery.event
    assert event["subject"] == lab.name and event["data"]["holder"] == f"uid:{os.geteuid()}"
    assert event["data"]["component"] == "SECRET_COMPONENT_KUBERNETES_CA" and event["data"]["roles"] == ["system:masters"]
    assert "CERTIFICATE" not in json.dumps(event)


def test_a_target_that_is_gone_is_told_when_it_is_back_and_drift_is_told_of_as_long_as_it_holds(new_lab, receivers, targets):
    lab = new_lab()
    receiver = receivers(tls=False)
    file = targets(receiver, events=["cluster.*", "rotation.ended"])
    lab.start("--notify-file", file)
    lab.import_cluster()
    worker = lab.workers[0].name
    before = list(yaml.safe_load_all(lab.control_call("GET", f"nodes/{worker}/config")))
    receiver.close()
    lab.rotate()
    done = lab.finish()
    put_back(lab, worker, before[0]["machine"]["ca"]["crt"])
    eventually(lambda: lab.status().returned_cas, 70)
    eventually(lambda: "notifications cannot be delivered" in lab.log(), 10)
    # What holds is told to whoever was not there, across a restart too.
    lab.stop(signal.SIGKILL)
    back = receivers(tls=False, port=receiver.port)
    lab.start("--notify-file", file)
    eventually(lambda: sorted(back.kinds()) == ["cluster.drift", "rotation.ended"], 30)
    drift = next(event for event in back.events if event["type"].endswith(".drift"))
    assert drift["subject"] == lab.name
    assert drift["data"]["machine"] == worker and drift["data"]["fingerprint"] == done.old_ca_fingerprint
