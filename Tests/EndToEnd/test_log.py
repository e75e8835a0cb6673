"""The log, as whoever searches it by one identifier finds it."""

import json
import os
import signal

import grpc
import pytest

from lab import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def lines(lab):
    return [json.loads(line) for line in lab.log().splitlines()]


def told(lab, **fields):
    """The lines that have all these fields with these values."""
    return [line for line in lines(lab) if all(line.get(name) == value for name, value in fields.items())]


def one(lab, **fields):
    """The one line that has all these fields, which may be written after the call's answer."""
    [line] = eventually(lambda: told(lab, **fields))
    return line


def call(lab, method, **fields):
    """(answer, the call's identifier as its caller gets it)"""
    request = getattr(lab.stubs.management, f"{method}Request")(**fields)
    with lab.channel() as channel:
        stub = lab.stubs.management_grpc.ManagementServiceStub(channel)
        answer, made = getattr(stub, method).with_call(
            request, timeout=30, metadata=(("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),))
        return answer, dict(made.trailing_metadata())["x-request-id"]


def test_a_rotation_is_found_by_its_identifier_its_call_its_cluster_and_its_caller(new_lab):
    lab = new_lab().start("--log-format", "json")
    lab.import_cluster()
    answer, identifier = call(lab, "RotateSecret", cluster=lab.name, component="SECRET_COMPONENT_TALOS_CA", reason="drill")
    rotation = answer.status.rotation_id
    lab.finish()
    eventually(lambda: told(lab, message="rotation succeeded"))

    by_rotation = told(lab, rotation=rotation)
    assert {"call", "rotation started", "stage began", "machine done", "rotation succeeded"} <= {
        line["message"] for line in by_rotation}
    for line in by_rotation:
        assert line["cluster"] == lab.name and line["component"] == "talos-ca" and line["stage"], line
        assert line["call"] == identifier, line
    assert by_rotation == told(lab, call=identifier)
    assert {(line["stage"], line["machine"]) for line in by_rotation if line["message"] == "machine done"} == {
        (stage, node.name) for stage in ("PRE_ROTATE", "ROTATE", "POST_ROTATE") for node in lab.nodes}
    # Nothing about a rotation or a machine stands where it is not found.
    for line in lines(lab):
        if "machine" in line["message"] or "rotation" in line["message"] and "rotation" in line:
            assert line["rotation"] == rotation, line
    assert all(line in told(lab, cluster=lab.name) for line in by_rotation)

    made = one(lab, message="call", call=identifier)
    caller = f"uid:{os.getuid()}"
    assert made["method"].endswith("/RotateSecret") and made["code"] == "OK" and made["milliseconds"] >= 0
    assert made["caller"] == caller and made["role"] == "admin" and made["trace"] == TRACE
    # gRPC Core sends whole tenths of a second, rounded up, so that 30 s may be 30,100 ms.
    assert 20_000 < made["timeout_milliseconds"] <= 31_000
    begun = one(lab, message="rotation started")
    assert begun["requester"] == caller and begun["reason"] == "drill"
    audit = [json.loads(line) for line in lab.omnictl("audit", "-o", "json").stdout.splitlines()]
    [entry] = [entry for entry in audit if entry.get("index") == str(made["audit"])]
    assert entry["method"] == "RotateSecret" and entry["caller"] == caller


def test_what_a_call_brings_about_names_the_call_also_after_a_restart(new_lab):
    lab = new_lab(pace="brisk").start("--log-format", "json")
    lab.import_cluster()
    rotation = lab.rotate().status.rotation_id
    with lab.watch(cluster=lab.name) as watch:
        watch.until(lambda status: status.machines_done == 1)
        _, locked = call(lab, "LockCluster", cluster=lab.name, reason="change window")
        eventually(lambda: told(lab, message="rotation paused"))
    assert [line["call"] for line in told(lab, message="rotation paused")] == [locked]
    lab.stop(signal.SIGKILL)
    lab.start("--log-format", "json")
    assert eventually(lambda: told(lab, message="rotation resumed", rotation=rotation))[0]["call"] == locked
    _, aborted = call(lab, "AbortRotation", cluster=lab.name)
    assert eventually(lambda: told(lab, message="rotation aborting"))[0]["call"] == aborted
    _, unlocked = call(lab, "UnlockCluster", cluster=lab.name)
    line = one(lab, message="call", call=aborted)
    assert line["rotation"] == rotation and line["cluster"] == lab.name and line["component"] == "talos-ca"
    for identifier in (locked, unlocked):
        line = one(lab, message="call", call=identifier)
        assert line["rotation"] == rotation, "a lock is found by the rotation that it holds"
    lab.finish()
    eventually(lambda: told(lab, message="rotation aborted", call=unlocked))
    identifiers = [line["call"] for line in told(lab, message="call")]
    assert len(set(identifiers)) == len(identifiers) >= 5


def test_who_was_handed_which_credential_for_how_long_is_in_the_log_and_the_credential_is_not(new_lab):
    lab = new_lab().start("--log-format", "json")
    lab.import_cluster()
    issued, identifier = call(
        lab, "Talosconfig", cluster=lab.name, roles=["os:reader"], ttl={"seconds": 600})
    line = one(lab, call=identifier)
    assert line["cluster"] == lab.name and line["holder"] == line["caller"] and line["roles"] == "os:reader"
    assert line["ttl"] == 600 and line["serial"] == issued.serial and line["ca"] == issued.ca_fingerprint
    assert line["expires"].endswith("Z") and line["expires"][:4].isdigit()
    token, identifier = call(
        lab, "IssueToken", name="ci", role="ACCESS_ROLE_READER", ttl={"seconds": 900})
    line = one(lab, call=identifier)
    assert line["grant"] == token.grant.id and line["holder"] == "ci" and line["roles"] == "reader"
    assert line["ttl"] == 900 and "serial" not in line
    _, identifier = call(lab, "RevokeAccess", id=token.grant.id)
    assert one(lab, call=identifier)["grant"] == token.grant.id
    log = lab.log()
    assert token.token not in log and "PRIVATE KEY" not in log
    for secret in ("key: ", "ca: "):
        value = next(part.strip() for part in issued.talosconfig.splitlines() if part.strip().startswith(secret))
        assert value.removeprefix(secret) not in log


def test_a_call_that_fails_gives_its_caller_the_identifier_too_and_hides_nothing_in_the_log(new_lab):
    lab = new_lab().start()
    name = "x\u202e\nlevel=error\u0085"
    with pytest.raises(grpc.RpcError) as refused:
        lab.call("LockCluster", cluster=name)
    identifier = dict(refused.value.trailing_metadata())["x-request-id"]
    [line] = eventually(lambda: [line for line in lab.log().splitlines() if f"call={identifier} " in line])
    assert r'cluster="x\u202e\nlevel=error\u0085"' in line and "code=INVALID_ARGUMENT" in line, line
    assert "\u202e" not in lab.log() and "\u0085" not in lab.log()
