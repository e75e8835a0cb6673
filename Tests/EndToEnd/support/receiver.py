"""A receiver of notifications: an HTTPS server that verifies what it gets, and misbehaves as a test wants."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

from cryptography import x509

from authority import Authority

Delivery = collections.namedtuple("Delivery", "id timestamp event headers status body")


def verify(secret, headers, body):
    """Whether a request is from whoever has the secret, and young, as the specification of Standard Webhooks has it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    is_young = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    signatures = [text.removeprefix("v1,") for text in headers["webhook-signature"].split()]
    return is_young and any(hmac.compare_digest(wanted, found) for found in signatures)


class Receiver:
    """Takes every event, or does what `answers` says: a status, or a function of the request's handler, one for each request."""

    def __init__(self, directory, secret, tls=True, port=0):
        self.secret = secret
        self.deliveries, self.faults = [], []
        self.answers = collections.deque()
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.answer(self)

            def do_GET(self):
                receiver.faults.append(f"GET {self.path}")
                self.send_error(405)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request, address):
                pass  # A client that goes away in the midst of an answer.

        self.server = Server(("127.0.0.1", port), Handler)
        if tls:
            self.authority = Authority("receivers")
            self.authority.issue(directory / "receiver", "receiver", x509.ExtendedKeyUsageOID.SERVER_AUTH)
            self.ca = directory / "receiver-ca.pem"
            self.ca.write_bytes(self.authority.pem)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(directory / "receiver.pem", directory / "receiver-key.pem")
            # In the handler's thread: one that says nothing keeps nobody else out.
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/omnid"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers["content-length"]))
        if not verify(self.secret, handler.headers, body):
            self.faults.append("a signature is wrong")
        with self.lock:
            answer = self.answers.popleft() if self.answers else 204
            event = json.loads(body)
            status = answer if isinstance(answer, int) else None
            self.deliveries.append(Delivery(
                handler.headers["webhook-id"], int(handler.headers["webhook-timestamp"]), event,
                dict(handler.headers), status, body))
        if not isinstance(answer, int):
            answer(handler)
            return
        handler.send_response(answer)
        handler.send_header("content-length", "0")
        handler.end_headers()

    @property
    def events(self):
        """What was taken, each once, in the order in which it came first."""
        with self.lock:
            taken = {d.id: d.event for d in reversed(self.deliveries) if d.status and 200 <= d.status < 300}
            order = list(dict.fromkeys(d.id for d in self.deliveries if d.id in taken))
        return [taken[id] for id in order]

    def kinds(self):
        return [event["type"].removeprefix("dev.omni.management.") for event in self.events]

    def close(self):
        """May be called again."""
        self.server.shutdown()
        self.server.server_close()
