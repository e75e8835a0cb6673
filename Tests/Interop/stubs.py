"""The Python stubs of the test schemas, generated when first needed."""

import functools
import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
WELL_KNOWN = pathlib.Path(grpc_tools.__file__).parent / "_proto"


@functools.cache
def _folder() -> str:
    # Kept for the life of the process, removed with it.
    _folder.keep = tempfile.TemporaryDirectory(prefix="interop-stubs-")
    out = _folder.keep.name
    schemas = HERE / "TestSchemas"
    files = [str(path.relative_to(schemas)) for path in schemas.rglob("*.proto")]
    status = protoc.main(
        ["protoc", f"-I{schemas}", f"-I{WELL_KNOWN}", f"--python_out={out}",
         f"--grpc_python_out={out}", *sorted(files)])
    if status != 0:
        raise RuntimeError("protoc refused the test schemas")
    return out


def load(module: str):
    """The generated module of that name, such as `grpc.testing.messages_pb2`."""
    out = _folder()
    if module.startswith("grpc."):
        # The package `grpc` is grpcio's own: ours extends it.
        import grpc
        path = f"{out}/grpc"
        if path not in grpc.__path__:
            grpc.__path__.append(path)
    elif out not in sys.path:
        sys.path.insert(0, out)
    return importlib.import_module(module)
