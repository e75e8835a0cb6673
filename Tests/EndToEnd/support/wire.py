"""HTTP/2 over mutual TLS by hand (the ssl module and h2), as independent of omnid as can be.

grpcio's TLS library does not speak Ed25519, which the certificates of Talos are made of.
"""

import base64
import os
import socket
import ssl
import tempfile

import h2.config
import h2.connection
import h2.events
import yaml


class Refused(Exception):
    """The other end does not want us: a TLS alert, or an HTTP status."""


class Credential:
    """Who we are, and whom we trust: what a talosconfig or a kubeconfig holds."""

    def __init__(self, authorities, certificate, key):
        self.authorities = authorities
        self.certificate = certificate
        self.key = key.replace("ED25519 PRIVATE KEY", "PRIVATE KEY")

    @staticmethod
    def from_talosconfig(text):
        config = yaml.safe_load(text)
        context = config["contexts"][config["context"]]
        return Credential(*(base64.b64decode(context[name]).decode()
                            for name in ("ca", "crt", "key")))

    @staticmethod
    def from_kubeconfig(text):
        config = yaml.safe_load(text)
        by_name = {item["name"]: item["context"] for item in config["contexts"]}
        chosen = by_name[config["current-context"]]
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == chosen["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == chosen["user"])
        return Credential(*(base64.b64decode(text).decode() for text in (
            cluster["certificate-authority-data"], user["client-certificate-data"],
            user["client-key-data"])))

    def context(self, verify=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["h2"])
        if verify:
            context.load_verify_locations(cadata=self.authorities)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "identity.pem")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(self.certificate + self.key)
            context.load_cert_chain(path)
        return context


def exchange(address, port, context, method, path, headers=(), body=b""):
    """One request; returns (headers and trailers as a dict, body)."""
    try:
        with socket.create_connection((address, port), timeout=10) as plain, \
                context.wrap_socket(plain, server_hostname=address) as stream:
            return converse(stream, address, method, path, headers, body)
    except ssl.SSLError as error:
        raise Refused(str(error)) from error


def converse(stream, address, method, path, headers, body):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    pseudo = [(":method", method), (":scheme", "https"), (":authority", address), (":path", path)]
    connection.send_headers(1, pseudo + list(headers), end_stream=not body)
    if body:
        connection.send_data(1, body, end_stream=True)
    stream.sendall(connection.data_to_send())
    fields, content = {}, b""
    while True:
        data = stream.recv(65536)
        if not data:
            raise Refused("the connection was closed")
        for event in connection.receive_data(data):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                fields.update(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                content += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.StreamEnded):
                return fields, content
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                raise Refused(f"{event}")
        stream.sendall(connection.data_to_send())


def grpc_call(address, port, context, path, request=b"", metadata=()):
    """A unary gRPC call; returns the bytes of the response message."""
    headers = [("content-type", "application/grpc"), ("te", "trailers"), *metadata]
    envelope = b"\0" + len(request).to_bytes(4, "big") + request
    fields, content = exchange(address, port, context, "POST", path, headers, envelope)
    status = fields.get("grpc-status")
    if fields.get(":status") != "200" or status != "0":
        raise Refused(f"HTTP {fields.get(':status')}, gRPC {status}: {fields.get('grpc-message')}")
    return content[5:]


def kubernetes_get(address, port, context, path):
    fields, content = exchange(address, port, context, "GET", path)
    if fields[":status"] != "200":
        raise Refused(f"HTTP {fields[':status']}")
    return content
