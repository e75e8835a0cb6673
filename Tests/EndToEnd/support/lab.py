"""A simulated cluster and an omnid in front of it, each a process of its own."""

import copy
import hashlib
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import wire

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def fingerprints(pem):
    """The SHA-256 of every certificate in a PEM text."""
    if isinstance(pem, bytes):
        pem = pem.decode()
    return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(block)).hexdigest()
            for block in PEM.findall(pem)]


def eventually(condition, seconds=30, every=0.05):
    """Waits until the condition is true and returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"never came true: {condition}"
        time.sleep(every)


class Node:
    def __init__(self, entry):
        self.name = entry["name"]
        self.address = entry["address"]
        self.port = entry["port"]
        self.kubernetes_port = entry.get("kubernetesPort")
        self.control_plane = self.kubernetes_port is not None


class Lab:
    name = "demo"

    def __init__(self, stubs, binaries, directory, addresses, control_planes=3, workers=2,
                 pace="instant", layout="legacy", simulator_flags=()):
        self.stubs = stubs
        self.binaries = binaries
        self.directory = directory
        self.socket = directory / "omnid.sock"
        self.state = directory / "state"
        self.omnid = None
        self.simulator_log = open(directory / "talosim.log", "wb")
        self.omnid_log = open(directory / "omnid.log", "ab")
        self.control = directory / "control.sock"
        self.simulator = subprocess.Popen(
            [binaries / "talosim", "--control-planes", str(control_planes), "--workers",
             str(workers), "--out", directory / "cluster", "--address-base", addresses,
             "--layout", layout, "--control", f"unix:{self.control}",
             "--pace", pace, *simulator_flags],
            stdout=self.simulator_log, stderr=subprocess.STDOUT)
        eventually(self.simulator_is_ready)
        nodes = json.loads((directory / "cluster/nodes.json").read_text())
        self.nodes = [Node(entry) for entry in nodes["nodes"]]
        self.talosconfig = (directory / "cluster/talosconfig").read_text()
        self.kubeconfig = (directory / "cluster/kubeconfig").read_text()

    def simulator_is_ready(self):
        assert self.simulator.poll() is None, (self.directory / "talosim.log").read_text()
        return "ready" in (self.directory / "talosim.log").read_text().split()

    def close(self):
        self.stop(signal.SIGKILL)
        self.simulator.send_signal(signal.SIGTERM)
        try:
            self.simulator.wait(10)
        except subprocess.TimeoutExpired:
            self.simulator.kill()
            self.simulator.wait()
        self.simulator_log.close()
        self.omnid_log.close()

    # omnid

    def serve(self, *flags):
        """The command line of an omnid of this lab."""
        return [self.binaries / "omnid", "serve", "--listen", f"unix:{self.socket}",
                "--state-dir", self.state, *flags]

    def start(self, *flags, wait=True):
        assert self.omnid is None
        self.omnid = subprocess.Popen(self.serve(*flags), stderr=self.omnid_log)
        if wait:
            eventually(self.is_serving, every=0.005)
        return self

    def is_serving(self):
        assert self.omnid.poll() is None, f"omnid has ended: {self.log()[-2000:]}"
        with self.channel() as channel:
            try:
                stub = health_pb2_grpc.HealthStub(channel)
                response = stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
            except grpc.RpcError:
                return False
            return response.status == health_pb2.HealthCheckResponse.SERVING

    def another(self):
        """A second omnid at the same cluster, with a socket and a store of its own. The caller stops it."""
        other = copy.copy(self)
        other.omnid = None
        other.socket = self.directory / "another.sock"
        other.state = self.directory / "another"
        return other.start()

    def stop(self, signal_number=signal.SIGTERM):
        """Ends omnid; returns its exit status."""
        if self.omnid is None:
            return None
        self.omnid.send_signal(signal_number)
        status = self.omnid.wait(30)
        self.omnid = None
        return status

    def log(self):
        return (self.directory / "omnid.log").read_text()

    def logged(self, text):
        """Waits until the log holds the text: a line may be written after what it tells of has been answered."""
        eventually(lambda: text in self.log())

    def channel(self):
        # A channel of its own each: grpcio otherwise shares connections, and their backoff.
        return grpc.insecure_channel(f"unix:{self.socket}", [
            ("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 100),
            # Also how long an attempt may take, on a busy machine too.
            ("grpc.min_reconnect_backoff_ms", 5000)])

    def call(self, method, timeout=30, **fields):
        """A unary call on a fresh connection, such as call("GetCluster", cluster="demo")."""
        with self.channel() as channel:
            return self.call_on(channel, method, timeout, **fields)

    def call_on(self, channel, method, timeout=30, metadata=None, **fields):
        """The same on a channel that is there."""
        request = getattr(self.stubs.management, f"{method}Request")(**fields)
        stub = self.stubs.management_grpc.ManagementServiceStub(channel)
        return getattr(stub, method)(request, timeout=timeout, metadata=metadata)

    def details(self, error, kind):
        """The google.rpc details of that kind which an error carries."""
        status = self.stubs.status.Status()
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status.ParseFromString(value)
        found = []
        for packed in status.details:
            detail = getattr(self.stubs.details, kind)()
            if packed.Unpack(detail):
                found.append(detail)
        return found

    def import_cluster(self):
        return self.call("ImportCluster", cluster=self.name, talosconfig=self.talosconfig).cluster

    def rotate(self, component="TALOS_CA", **fields):
        value = self.stubs.management.SecretComponent.Value(f"SECRET_COMPONENT_{component}")
        return self.call("RotateSecret", cluster=self.name, component=value, **fields)

    def status(self):
        return self.call("GetRotationStatus", cluster=self.name).status

    def watch(self, **fields):
        return Watch(self, **fields)

    def finish(self, seconds=180):
        """Waits until no rotation runs; returns the last status."""
        with self.watch(cluster=self.name, stop_when_idle=True) as watch:
            watch.join(seconds)
            assert watch.error is None, watch.error
            return watch.statuses[-1]

    def fresh_credentials(self):
        """(talosconfig, kubeconfig) as credentials."""
        talosconfig = self.call("Talosconfig", cluster=self.name).talosconfig
        kubeconfig = self.call("Kubeconfig", cluster=self.name).kubeconfig
        return (wire.Credential.from_talosconfig(talosconfig),
                wire.Credential.from_kubeconfig(kubeconfig))

    # The cluster

    @property
    def control_planes(self):
        return [node for node in self.nodes if node.control_plane]

    @property
    def workers(self):
        return [node for node in self.nodes if not node.control_plane]

    def control_call(self, method, path, body=""):
        """A request to the simulator's control interface; docs/talosim.md has them all."""
        return subprocess.run(
            ["curl", "-sS", "--fail-with-body", "--http2-prior-knowledge", "--unix-socket",
             self.control, "-X", method, "--data-binary", "@-", f"http://simulator/{path}"],
            input=body, check=True, capture_output=True, text=True, timeout=30).stdout

    def switch(self, name, action):
        """Switches a machine off (`stop`) or on (`start`)."""
        self.control_call("POST", f"nodes/{name}/{action}")

    def faults(self, name, **faults):
        """What is wrong with a machine from now on; nothing for a machine that is well."""
        self.control_call("PUT", f"nodes/{name}/faults", json.dumps(faults))

    def rotate_without(self, name, component="TALOS_CA", **fields):
        """Starts a rotation whose machine NAME is switched off before anything reaches it.

        A start is refused while a machine does not answer, so the machine answers it, slowly, and is
        gone before the change, which needs several answers more.
        """
        self.faults(name, latencyMilliseconds=150)
        ticket = self.rotate(component, **fields)
        self.switch(name, "stop")
        self.faults(name)
        return ticket

    def omnictl(self, *arguments, seconds=120):
        """Runs omnictl to its end."""
        return subprocess.run(
            [self.binaries / "omnictl", *arguments], capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL, env={**os.environ, "OMNI_ENDPOINT": f"unix:{self.socket}"})

    def omnictl_process(self, *arguments):
        """omnictl as a process that goes on; whoever starts it ends it."""
        return subprocess.Popen(
            [self.binaries / "omnictl", "--endpoint", f"unix:{self.socket}", *arguments],
            stdout=subprocess.PIPE, text=True)

    def secret_rotate(self, *arguments, seconds=120):
        """Runs `omnictl cluster -n NAME secret rotate …` to its end."""
        return self.omnictl("cluster", "-n", self.name, "secret", "rotate", *arguments,
                            seconds=seconds)

    def version(self, node, credential, verify=True):
        """Asks a machine for its version, at its own address."""
        return wire.grpc_call(node.address, node.port, credential.context(verify),
                              "/machine.MachineService/Version")

    def api_servers_nodes(self, node, credential, verify=True):
        """Asks a control plane's API server for the nodes."""
        return wire.kubernetes_get(node.address, node.kubernetes_port, credential.context(verify),
                                   "/api/v1/nodes")

    def resource(self, node, credential, kind, namespace, id):
        """Reads a resource of a machine; a worker is asked through a control plane."""
        request = self.stubs.state.GetRequest(namespace=namespace, type=kind, id=id)
        through = node if node.control_plane else self.control_planes[0]
        metadata = [] if node.control_plane else [("node", node.address)]
        answer = wire.grpc_call(
            through.address, through.port, credential.context(), "/cosi.resource.State/Get",
            request.SerializeToString(), metadata)
        return self.stubs.state.GetResponse.FromString(answer).resource.spec.proto_spec

    def accepted_talos(self, node, credential):
        """The fingerprints of the CAs from which the machine takes Talos clients."""
        spec = self.resource(
            node, credential, "ApiCertificates.secrets.talos.dev", "secrets", "api")
        secrets = self.stubs.secrets.APICertsSpec.FromString(spec)
        return {print for entry in secrets.accepted_c_as for print in fingerprints(entry.crt)}

    def accepted_kubernetes(self, node, credential):
        """The fingerprints of the CAs that the machine's kubelet accepts."""
        spec = self.resource(
            node, credential, "KubeletSecrets.secrets.talos.dev", "secrets", "kubelet")
        secrets = self.stubs.secrets.KubeletSpec.FromString(spec)
        return {print for entry in secrets.accepted_c_as for print in fingerprints(entry.crt)}

    def delete_pod(self, credential, name):
        """Deletes a pod, whose controller starts another one."""
        node = self.control_planes[0]
        fields, body = wire.exchange(
            node.address, node.kubernetes_port, credential.context(), "DELETE",
            f"/api/v1/namespaces/kube-system/pods/{name}")
        assert fields[":status"] == "200", body


class Watch:
    """WatchRotationStatus in a thread: gathers what comes."""

    def __init__(self, lab, **fields):
        self.arrivals = []
        self.error = None
        self.channel = lab.channel()
        stub = lab.stubs.management_grpc.ManagementServiceStub(self.channel)
        self.stream = stub.WatchRotationStatus(
            lab.stubs.management.WatchRotationStatusRequest(**fields))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    @property
    def statuses(self):
        return [status for _, status in self.arrivals]

    def read(self):
        try:
            for response in self.stream:
                self.arrivals.append((time.monotonic(), response.status))
        except grpc.RpcError as error:
            self.error = error

    def join(self, seconds=60):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the watch has not ended"

    def until(self, condition, seconds=120):
        """Waits for a status for which the condition holds."""
        return eventually(
            lambda: next((s for s in self.statuses if condition(s)), None), seconds, 0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.cancel()
        self.channel.close()
        self.thread.join(10)
