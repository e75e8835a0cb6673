"""The Swift client as a package outside uses it."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()

pytestmark = pytest.mark.skipif(shutil.which("swift") is None, reason="there is no Swift toolchain")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def test_a_package_outside_finds_the_product(tmp_path):
    (tmp_path / "Sources/my-tool").mkdir(parents=True)
    (tmp_path / "Sources/my-tool/main.swift").write_text("import Schema\n")
    (tmp_path / "Package.swift").write_text(f"""// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "my-tool",
  dependencies: [.package(path: {json.dumps(str(ROOT))})],
  targets: [
    .executableTarget(
      name: "my-tool", dependencies: [.product(name: "OmnidClient", package: "{ROOT.name.lower()}")])
  ])
""")
    # Plans the build of the product with all that it depends on, and builds nothing.
    planned = run("swift", "build", "--package-path", str(tmp_path), "--print-manifest-job-graph")
    assert planned.returncode == 0, planned.stderr
    shown = run("swift", "package", "--package-path", str(ROOT), "dump-package")
    products = json.loads(shown.stdout)["products"]
    client = next(each for each in products if each["name"] == "OmnidClient")
    assert {"Schema", "RPC", "RPCTransport"} <= set(client["targets"])


def programs():
    """The example that is built with omnid, and the one of the client's README."""
    yield "example", (ROOT / "Clients/Examples/RotateAndWait").glob("*.swift"), None
    text = (ROOT / "Clients/swift/README.md").read_text()
    blocks = [block for block in re.findall(r"^```swift\n(.*?)^```$", text, re.M | re.S) if "import " in block]
    assert len(blocks) == 1
    yield "readme", None, blocks[0]


@pytest.mark.parametrize("name,files,text", [pytest.param(*each, id=each[0]) for each in programs()])
def test_what_the_product_makes_public_is_enough(name, files, text, tmp_path):
    modules = BINARIES / "Modules"
    assert (modules / "Schema.swiftmodule").exists(), "omnid is not built"
    if text is not None:
        files = [tmp_path / "main.swift"]
        files[0].write_text(text)
    maps = [flag for each in sorted((ROOT / "Sources/CLibraries").glob("*/**/module.modulemap"))
            for flag in ("-Xcc", f"-fmodule-map-file={each}")]
    # Without -package-name: only what is public can be used.
    compiled = run("swiftc", "-typecheck", "-swift-version", "6", *([] if text else ["-parse-as-library"]), "-I", str(modules),
                   *maps, *map(str, files))
    assert compiled.returncode == 0, compiled.stderr
    hidden = tmp_path / "hidden.swift"
    hidden.write_text("import RPC\nfunc see(_ machine: ServerCallMachine) {}\n")
    refused = run("swiftc", "-typecheck", "-swift-version", "6", "-I", str(modules), *maps, str(hidden))
    assert refused.returncode != 0, "what the package keeps to itself can be seen from outside"
