"""Python stubs, generated from Proto/ at run time by Google's own compiler."""

import importlib
import sys
from types import SimpleNamespace

import google
from grpc_tools import protoc

FILES = [
    "omni/management/v1/management.proto",
    "google/rpc/status.proto", "google/rpc/error_details.proto",
    "cosi/resource/resource.proto", "cosi/resource/state.proto",
    "talos/resource/definitions/secrets/secrets.proto",
]


def generate(proto, directory):
    """Compiles what the tests speak; returns the modules."""
    files = dependencies(proto, FILES)
    arguments = ["protoc", f"-I{proto}", f"-I{protoc_include()}", f"--python_out={directory}",
                 f"--grpc_python_out={directory}", *files]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, str(directory))
    google.__path__.append(str(directory / "google"))
    module = importlib.import_module
    return SimpleNamespace(
        management=module("omni.management.v1.management_pb2"),
        management_grpc=module("omni.management.v1.management_pb2_grpc"),
        status=module("google.rpc.status_pb2"),
        details=module("google.rpc.error_details_pb2"),
        state=module("cosi.resource.state_pb2"),
        secrets=module("talos.resource.definitions.secrets.secrets_pb2"),
    )


def protoc_include():
    import importlib.resources
    return importlib.resources.files("grpc_tools") / "_proto"


def dependencies(proto, names):
    """The files and what they import of this schema, each once."""
    found = []

    def visit(name):
        if name in found or not (proto / name).exists():
            return
        for line in (proto / name).read_text().splitlines():
            if line.startswith("import "):
                visit(line.split('"')[1])
        found.append(name)

    for name in names:
        visit(name)
    return found
