"""The build hook: makes the modules of the schema and the methods of the service from Proto/.

Nothing that is generated is kept in the source tree. A wheel holds what is generated; an sdist holds the schema
itself, so that a wheel can be built from it too.
"""

from __future__ import annotations

import importlib.resources
import re
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.requirements import Requirement

SCHEMA = "omni/management/v1/management.proto"
SERVICE = "ManagementService"
Field = descriptor_pb2.FieldDescriptorProto


class SchemaHook(BuildHookInterface):
    """Called by hatchling for wheels and sdists."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        proto = schema_folder(root)
        terms = next(file for file in (root / "LICENSE", root.parent.parent / "LICENSE") if file.exists())
        if self.target_name == "sdist":
            build_data["force_include"][str(proto / SCHEMA)] = f"proto/{SCHEMA}"
            build_data["force_include"][str(terms)] = "LICENSE"
            return
        build_data["extra_metadata"][str(terms)] = "licenses/LICENSE"
        self.work = tempfile.TemporaryDirectory(prefix="omnid-client-")
        folder = Path(self.work.name)
        generate(proto, folder)
        self.require_runtime(folder / "management_pb2.py")
        for file in sorted(folder.iterdir()):
            build_data["force_include"][str(file)] = f"omnid_client/{file.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        if self.target_name != "sdist":
            self.work.cleanup()

    def require_runtime(self, module: Path) -> None:
        """The wheel has to ask for the protobuf runtime that the generated code asks for when it is imported."""
        made_for = re.search(r"# Protobuf Python Version: (\S+)", module.read_text())
        asked_for = next(Requirement(text) for text in self.metadata.core.dependencies if text.startswith("protobuf"))
        if made_for is None or f">={made_for[1]}" not in str(asked_for.specifier).split(","):
            raise RuntimeError(
                f"the compiler makes code for protobuf {made_for and made_for[1]}: set the lower bound of "
                "protobuf in pyproject.toml to that")


def schema_folder(root: Path) -> Path:
    """Proto/ of the repository, or proto/ of an unpacked sdist."""
    for folder in (root / "proto", root.parent.parent / "Proto"):
        if (folder / SCHEMA).exists():
            return folder
    raise RuntimeError(f"{SCHEMA} is neither in proto/ nor in ../../Proto: build in the repository or from an sdist")


def generate(proto: Path, folder: Path) -> None:
    """Writes management_pb2.py, management_pb2.pyi and _calls.py into the folder."""
    with tempfile.TemporaryDirectory() as work:
        descriptors = Path(work) / "schema.binpb"
        google = importlib.resources.files("grpc_tools") / "_proto"
        arguments = [
            "protoc", f"-I{proto}", f"-I{google}", f"--python_out={work}", f"--pyi_out={work}",
            f"--descriptor_set_out={descriptors}", "--include_source_info", SCHEMA]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc could not compile {proto / SCHEMA}")
        # The schema imports nothing but Google's own types: its module has no path in it.
        for suffix in ("py", "pyi"):
            name = f"management_pb2.{suffix}"
            text = (Path(work) / SCHEMA).with_name(name).read_text()
            # A message may be given as a dict. The compiler leaves open of what, which mypy --strict does not.
            (folder / name).write_text(text.replace("_Mapping]", "_Mapping[str, object]]"))
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    schema = next(file for file in files.file if file.name == SCHEMA)
    (folder / "_calls.py").write_text(Calls(schema).source())


class Calls:
    """Writes the two classes that have a typed method for each RPC, with the schema's comments."""

    def __init__(self, schema: descriptor_pb2.FileDescriptorProto):
        self.schema = schema
        self.messages = {f".{schema.package}.{message.name}": (index, message)
                         for index, message in enumerate(schema.message_type)}
        self.comments = {tuple(location.path): location.leading_comments
                         for location in schema.source_code_info.location}
        self.service_index, self.service = next(
            (index, service) for index, service in enumerate(schema.service) if service.name == SERVICE)

    def source(self) -> str:
        head = [
            f'"""The methods of {self.schema.package}.{SERVICE}. Generated from {SCHEMA}: do not edit."""', "",
            "from __future__ import annotations", "",
            "import datetime",
            "from collections.abc import AsyncGenerator, Generator, Iterable", "",
            "from . import management_pb2 as pb",
            "from ._transport import AsyncTransport, Transport", "", ""]
        return "\n".join(head + self.surface(False) + ["", ""] + self.surface(True)) + "\n"

    def surface(self, is_async: bool) -> list[str]:
        prefix = "Async" if is_async else ""
        lines = [f"class {prefix}Calls:", f'    """Every RPC of {SERVICE} as a method."""', "",
                 f"    _transport: {prefix}Transport"]
        for index, method in enumerate(self.service.method):
            lines += ["", *self.method(index, method, is_async)]
        return lines

    def method(self, index: int, method: descriptor_pb2.MethodDescriptorProto, is_async: bool) -> list[str]:
        message_index, request = self.messages[method.input_type]
        answer = "pb." + method.output_type.rsplit(".", 1)[1]
        streams = method.server_streaming
        if method.client_streaming:
            raise RuntimeError(f"{method.name} streams requests: generate.py does not write such methods yet")
        if streams:
            returns = f"AsyncGenerator[{answer}, None]" if is_async else f"Generator[{answer}, None, None]"
        else:
            returns = answer
        define = "async def" if is_async and not streams else "def"
        call = ("stream" if streams else "unary")
        wait = "await " if is_async and not streams else ""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.name).lower()
        lines = [f"    {define} {name}(", "        self,"]
        # The cluster, which nearly every call names first, may be given without its keyword.
        fields = list(request.field)
        if fields and fields[0].name == "cluster":
            lines.append(f"        {self.parameter(fields.pop(0))},")
        lines.append("        *,")
        lines += [f"        {self.parameter(field)}," for field in fields]
        lines += ["        timeout: float | None = None,", f"    ) -> {returns}:"]
        lines += self.docstring(index, message_index, request, streams)
        lines += [f"        return {wait}self._transport.{call}(",
                  f'            "/{self.schema.package}.{SERVICE}/{method.name}",',
                  f"            pb.{request.name}("]
        lines += [f"                {field.name}={field.name}," for field in request.field]
        lines += ["            ),", f"            {answer}.FromString,", "            timeout,", "        )"]
        return lines

    def parameter(self, field: Field) -> str:
        if field.label == Field.LABEL_REPEATED:
            return f"{field.name}: Iterable[{self.type_name(field)}] = ()"
        if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM) or field.proto3_optional:
            return f"{field.name}: {self.type_name(field)} | None = None"
        kind = self.type_name(field)
        default = {"str": '""', "bytes": 'b""', "bool": "False", "int": "0", "float": "0.0"}[kind]
        return f"{field.name}: {kind} = {default}"

    def type_name(self, field: Field) -> str:
        simple = {
            Field.TYPE_STRING: "str", Field.TYPE_BYTES: "bytes", Field.TYPE_BOOL: "bool", Field.TYPE_INT32: "int",
            Field.TYPE_INT64: "int", Field.TYPE_UINT32: "int", Field.TYPE_UINT64: "int", Field.TYPE_DOUBLE: "float"}
        if field.type in simple:
            return simple[field.type]
        if field.type_name == ".google.protobuf.Duration":
            return "datetime.timedelta"
        if field.type_name == ".google.protobuf.Timestamp":
            return "datetime.datetime"
        own = field.type_name.removeprefix(f".{self.schema.package}.")
        if own == field.type_name or "." in own:
            raise RuntimeError(f"generate.py has no Python type for {field.type_name}")
        return f"pb.{own}"

    def docstring(self, index: int, message_index: int, request: descriptor_pb2.DescriptorProto,
                  streams: bool) -> list[str]:
        # 6, 2: a file's service, a service's method; 4, 2: a file's message, a message's field (descriptor.proto).
        text = [tidy(self.comments.get((6, self.service_index, 2, index), ""))]
        arguments = []
        for place, field in enumerate(request.field):
            comment = " ".join(tidy(self.comments.get((4, message_index, 2, place), "")).split())
            arguments.append(textwrap.fill(f"{field.name}: {comment}", 96, subsequent_indent="    "))
        arguments.append("timeout: seconds until the call ends with DeadlineExceeded."
                         + (" The whole stream is meant." if streams else ""))
        text.append("Args:\n" + textwrap.indent("\n".join(arguments), "    "))
        body = "\n\n".join(text).replace("\\", "\\\\").replace('"""', "'''")
        lines = textwrap.indent(body, "        ").splitlines()
        lines[0] = '        """' + lines[0].lstrip()
        return [*(line.rstrip() for line in lines), '        """']


def tidy(comment: str) -> str:
    return textwrap.dedent("\n".join(line.removeprefix(" ") for line in comment.strip("\n").splitlines())).strip()
