"""A rotation that is over is proved by a report that anybody can check."""

import base64
import hashlib
import signal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from test_rotation import name


def test_a_rotation_leaves_a_signed_report_that_is_checked_without_a_server(new_lab):
    lab = new_lab().start()
    lab.import_cluster()
    early = lab.secret_rotate("proof")
    assert early.returncode == 5, early
    lab.rotate("KUBERNETES_CA", reason="kubeconfig on a lost laptop")
    status = lab.finish()
    assert name(status, "state") == "ROTATION_STATE_SUCCEEDED"
    shown = lab.secret_rotate("proof")
    assert shown.returncode == 0, shown
    report = lab.directory / "report.txt"
    report.write_text(shown.stdout)
    for part in (status.old_ca_fingerprint, status.new_ca_fingerprint, "kubeconfig on a lost laptop",
                 "Every machine refuses the old CA"):
        assert part in shown.stdout, part
    for node in lab.control_planes:
        section = shown.stdout.split(f"Machine {node.name} (")[1].split("\n\n")[0]
        assert "old-refused" in section and "passed" in section, section
        assert section.count("verified 2") == 3, section
    timeline = lab.secret_rotate("history", status.rotation_id)
    assert timeline.returncode == 0 and timeline.stdout.count("POST-ROTATE") == 5, timeline.stdout

    # The old CA stays sealed, and goes into a file alone.
    retired = lab.directory / "retired.pem"
    exported = lab.secret_rotate("export-ca", "--output-file", retired)
    assert exported.returncode == 0 and "PRIVATE KEY" not in exported.stdout, exported
    assert retired.stat().st_mode & 0o777 == 0o600
    pem = retired.read_bytes()
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.fingerprint(hashes.SHA256()).hex() == status.old_ca_fingerprint
    key = serialization.load_pem_private_key(pem[pem.rindex(b"-----BEGIN"):], None)
    assert key.public_key() == certificate.public_key()
    audit = lab.omnictl("audit").stdout
    assert "ExportRetiredCA" in audit and "PRIVATE KEY" not in audit

    # The same report after a kill, and checked when nobody serves.
    lab.stop(signal.SIGKILL)
    lab.start()
    assert lab.secret_rotate("proof").stdout == shown.stdout
    key = lab.call("GetRotationReport", cluster=lab.name).key_fingerprint
    lab.logged(f"report_key={key}")
    lab.stop()
    good = lab.omnictl("report", "verify", report, "--key", key)
    assert good.returncode == 0 and key in good.stdout, good
    assert lab.omnictl("report", "verify", report, "--key", "00").returncode == 1

    # As somebody without omnictl checks it.
    text, block = shown.stdout.split("-----BEGIN OMNID SIGNATURE-----\n")
    fields = dict(line.split(": ") for line in block.splitlines()[:2])
    public = base64.b64decode(fields["key"])
    Ed25519PublicKey.from_public_bytes(public).verify(
        base64.b64decode(fields["signature"]), text.encode())
    assert hashlib.sha256(public).hexdigest() == key

    report.write_text(shown.stdout.replace("passed", "failed", 1))
    bad = lab.omnictl("report", "verify", report)
    assert bad.returncode == 1 and "was changed" in bad.stderr, bad
