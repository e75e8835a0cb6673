"""A small certificate authority, made with the cryptography package."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    def __init__(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.certificate = self.builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
                self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def builder(self, subject, key, hours=1):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(hours=2))
                .not_valid_after(now + datetime.timedelta(hours=hours)))

    def issue(self, path, name, usage, role=None, hours=1):
        """Writes PATH.pem and PATH-key.pem; returns the serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
        if role:
            attributes.insert(0, x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, role))
        subject = x509.Name(attributes)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (self.builder(subject, key, hours).add_extension(names, critical=False)
                       .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
                       .sign(self.key, hashes.SHA256()))
        path.with_name(path.name + ".pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM))
        file = path.with_name(path.name + "-key.pem")
        # A key that others can read is refused.
        file.touch(mode=0o600)
        file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        path.with_name(path.name + "-key.pem").chmod(0o600)
        return format(certificate.serial_number, "x")
