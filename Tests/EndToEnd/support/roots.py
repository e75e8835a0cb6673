"""CAs as somebody else makes them for a cluster, and machine configurations that hold them."""

import base64
import datetime
import hashlib
import os

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

SECTIONS = {"TALOS_CA": "machine", "KUBERNETES_CA": "cluster"}


class Root:
    """A root as Talos makes them, for a component, that ends so many seconds from now."""

    def __init__(self, component, seconds=10 * 365 * 86400):
        is_talos = component == "TALOS_CA"
        self.key = (ed25519.Ed25519PrivateKey.generate() if is_talos
                    else ec.generate_private_key(ec.SECP256R1()))
        name = x509.Name([x509.NameAttribute(
            x509.NameOID.ORGANIZATION_NAME, "talos" if is_talos else "kubernetes")])
        # Younger than what talosim makes, which is valid from an hour before its start on.
        now = datetime.datetime.now(datetime.timezone.utc)
        usage = {field: field in ("digital_signature", "key_cert_sign") for field in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")}
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(seconds=600))
            .not_valid_after(now + datetime.timedelta(seconds=seconds))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier(os.urandom(20)), critical=False)
            .sign(self.key, None if is_talos else hashes.SHA256()))
        self.fingerprint = hashlib.sha256(
            certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
        form = (serialization.PrivateFormat.PKCS8 if is_talos
                else serialization.PrivateFormat.TraditionalOpenSSL)
        self.pair = {
            "crt": base64.b64encode(
                certificate.public_bytes(serialization.Encoding.PEM)).decode(),
            "key": base64.b64encode(self.key.private_bytes(
                serialization.Encoding.PEM, form, serialization.NoEncryption())).decode()}


def edit(lab, node, component, accepted, issuing=None):
    """Another tool has a machine accept CAs beside the one that it issues from, and issue from another one."""
    documents = list(yaml.safe_load_all(
        lab.control_call("GET", f"nodes/{node.name}/config")))
    section = documents[0][SECTIONS[component]]
    if issuing:
        section["ca"] = dict(issuing) if node.control_plane else {
            "crt": issuing["crt"], "key": ""}
    section["acceptedCAs"] = [{"crt": pair["crt"]} for pair in accepted]
    lab.control_call(
        "POST", f"nodes/{node.name}/write", yaml.safe_dump_all(documents, sort_keys=False))


def present(lab, node, component):
    """The CA that a control plane issues from, with its key."""
    documents = list(yaml.safe_load_all(
        lab.control_call("GET", f"nodes/{node.name}/config")))
    return documents[0][SECTIONS[component]]["ca"]
