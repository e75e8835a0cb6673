"""/healthz, /readyz and /metrics, by other people's clients: curl, promtool, Prometheus itself."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import urllib.request

import pytest

from lab import eventually
from test_remote_access import Remote

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "packaging/monitoring"


def curl(*arguments):
    """(status, content type, body)."""
    answer = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code} %{content_type}", *map(str, arguments)],
        capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    body, _, facts = answer.stdout.rpartition("\n")
    status, _, kind = facts.partition(" ")
    return int(status), kind, body


def local(lab, path, *arguments):
    return curl("--http2-prior-knowledge", "--unix-socket", lab.socket, *arguments, f"http://omnid{path}")


def test_a_store_that_cannot_be_used_is_not_ready(new_lab):
    lab = new_lab(control_planes=1, workers=0).start()
    lab.import_cluster()

    def ready():
        status, _, text = local(lab, "/readyz")
        return status, text.strip()

    assert ready() == (200, "ok")
    store = lab.state / "omnid.db"
    moved = store.rename(lab.state / "moved.db")
    told = eventually(lambda: (answer := ready())[0] == 503 and answer[1])
    assert "cannot use its store" in told and str(lab.state) not in told, told
    moved.rename(store)
    eventually(lambda: ready() == (200, "ok"))


def over_tls(remote, path, *arguments):
    ca = remote.lab.directory / "ca.pem"
    ca.write_bytes(remote.ca)
    return curl("--http2", "--cacert", ca, *arguments, f"https://127.0.0.1:{remote.port}{path}")


def bearer(token):
    return "-H", f"Authorization: Bearer {token}"


def samples(text):
    """{line without its value: value}"""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if line and not line.startswith("#")}


@pytest.fixture
def lab(new_lab):
    return new_lab(control_planes=1, workers=1)


def test_metrics_tell_of_a_rotation_as_it_goes(lab):
    lab.start()
    lab.import_cluster()
    assert samples(local(lab, "/metrics")[2])['omnid_rotations{state="idle",stage=""}'] == 1
    worker = lab.workers[0].name
    lab.rotate_without(worker)
    waiting = f'omnid_rotation_waiting_since_timestamp_seconds{{cluster="demo",machine="{worker}"}}'
    eventually(lambda: waiting in samples(local(lab, "/metrics")[2]), 60, 0.2)
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda status: True)
        seen = samples(local(lab, "/metrics")[2])
    assert seen['omnid_rotation_state{cluster="demo",component="talos-ca",state="running",stage="PRE_ROTATE"}'] == 1
    assert seen['omnid_rotations{state="running",stage="PRE_ROTATE"}'] == 1
    assert seen['omnid_rotation_machines{cluster="demo"}'] == 2
    assert seen["omnid_rotation_watchers"] == 1
    assert seen['omnid_rpc_streams{method="omni.management.v1.ManagementService/WatchRotationStatus"}'] == 1
    assert any(name.startswith('omnid_rotation_failed_checks{cluster="demo",check=') for name in seen)
    lab.switch(worker, "start")
    lab.finish()
    seen = samples(local(lab, "/metrics")[2])
    assert seen['omnid_rotation_state{cluster="demo",component="talos-ca",state="succeeded",stage=""}'] == 1
    assert not [name for name in seen if "machine=" in name]
    method = "omni.management.v1.ManagementService/RotateSecret"
    assert seen[f'omnid_rpc_requests_total{{method="{method}",code="OK"}}'] == 1
    assert seen[f'omnid_rpc_duration_seconds_count{{method="{method}"}}'] == 1
    assert seen['omnid_store_duration_seconds_count{operation="commit"}'] > 5
    assert seen['omnid_ca_expiry_timestamp_seconds{cluster="demo",component="talos-ca"}'] > 1.7e9


def test_promtool_reads_what_a_server_tells(lab):
    lab.start()
    lab.import_cluster()
    _, kind, text = local(lab, "/metrics")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                             timeout=30)
    assert checked.returncode == 0 and not checked.stderr and not checked.stdout, checked
    _, kind, text = local(lab, "/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("# EOF\n")


def test_health_is_for_everybody_and_metrics_are_for_readers(lab):
    remote = Remote(lab)
    lab.import_cluster()
    token, identifier = remote.token("reader", name="prometheus")
    bound, _ = remote.token("reader", clusters=["other"], name="bound")
    assert over_tls(remote, "/healthz")[::2] == (200, "ok\n")
    assert over_tls(remote, "/readyz")[::2] == (200, "ok\n")
    status, _, body = over_tls(remote, "/metrics")
    assert status == 401 and "omnid_" not in body
    assert over_tls(remote, "/metrics", *bearer("omni_" + "A" * 43))[0] == 401
    status, _, body = over_tls(remote, "/metrics", *bearer(token))
    assert status == 200
    seen = samples(body)
    assert seen['omnid_record_outdated{cluster="demo"}'] == 0
    assert seen['omnid_access_grants{kind="token",role="reader"}'] == 2
    status, _, body = over_tls(remote, "/metrics", *bearer(bound))
    assert status == 200 and "demo" not in body and "omnid_rpc_" not in body and "omnid_access_" not in body
    assert samples(body)["omnid_clusters"] == 0
    key, certificate, _ = remote.issue("scraper", "reader")
    (lab.directory / "key.pem").write_bytes(key)
    (lab.directory / "cert.pem").write_bytes(certificate)
    by_certificate = ("--key", lab.directory / "key.pem", "--cert", lab.directory / "cert.pem")
    assert over_tls(remote, "/metrics", *by_certificate)[0] == 200
    lab.call("RevokeAccess", id=identifier)
    assert over_tls(remote, "/metrics", *bearer(token))[0] == 401
    status, _, body = local(lab, "/elsewhere")
    assert status == 404 and "/metrics" in body
    assert local(lab, "/metrics", "-I")[0] == 200


def test_requests_that_are_refused_are_counted(lab):
    remote = Remote(lab)
    lab.import_cluster()
    remote.token()
    remote.refused("GetCluster", cluster="demo")
    method = "omni.management.v1.ManagementService/GetCluster"
    seen = samples(local(lab, "/metrics")[2])
    assert seen[f'omnid_rpc_requests_total{{method="{method}",code="UNAUTHENTICATED"}}'] == 1
    with socket.create_connection(("127.0.0.1", remote.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        plain.recv(1000)
    assert eventually(lambda: sum(
        count for name, count in samples(local(lab, "/metrics")[2]).items()
        if name.startswith("omnid_connections_refused_total")) == 1, 10)


@contextlib.contextmanager
def prometheus(folder, config):
    """A Prometheus on loopback; the base of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with open(folder / "prometheus.log", "wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}/api/v1", process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_prometheus_scrapes_over_tls_with_a_token_and_takes_the_rules(lab, tmp_path):
    remote = Remote(lab)
    lab.import_cluster()
    token, _ = remote.token("reader", name="prometheus")
    (tmp_path / "ca.pem").write_bytes(remote.ca)
    (tmp_path / "token").write_text(token)
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(MONITORING / "omnid.rules.yml")],
        "scrape_configs": [{
            "job_name": "omnid", "scheme": "https",
            "authorization": {"credentials_file": str(tmp_path / "token")},
            "tls_config": {"ca_file": str(tmp_path / "ca.pem")},
            "static_configs": [{"targets": [f"127.0.0.1:{remote.port}"]}]}]}
    with prometheus(tmp_path, config) as (api, process):
        def ask(path):
            assert process.poll() is None, (tmp_path / "prometheus.log").read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"{api}/{path}", timeout=5) as answer:
                    return json.load(answer)["data"]
            except OSError:
                return None

        def target():
            targets = (ask("targets") or {}).get("activeTargets")
            return targets and targets[0]["health"] != "unknown" and targets[0]
        found = eventually(target, 40, 0.5)
        assert found["health"] == "up", found
        # Prometheus calls a target up a moment before its samples can be asked for.
        [clusters] = eventually(lambda: (ask("query?query=omnid_clusters") or {}).get("result"), 20, 0.5)
        assert clusters["value"][1] == "1"
        rules = eventually(lambda: [rule for group in (ask("rules") or {}).get("groups", []) for rule in group["rules"]
                                    if rule["health"] != "unknown"], 20, 0.5)
        assert len(rules) == len(re.findall("alert:", (MONITORING / "omnid.rules.yml").read_text()))
        assert {rule["health"] for rule in rules} == {"ok"}, rules
        assert not ask("alerts")["alerts"]


def test_the_alert_rules_pass_their_tests():
    tested = subprocess.run(["promtool", "test", "rules", MONITORING / "omnid.rules.test.yml"], capture_output=True,
                            text=True, timeout=60)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    alerts = set(re.findall(r"alert: (\w+)", (MONITORING / "omnid.rules.yml").read_text()))
    named = set(re.findall(r"alertname: (\w+)", (MONITORING / "omnid.rules.test.yml").read_text()))
    assert alerts == named

