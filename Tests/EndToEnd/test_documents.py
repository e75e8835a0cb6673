"""The commands of the documents: each block that begins with ```sh run is run as it stands there."""

import os
import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

from lab import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh run\n(.*?)^```", re.DOTALL | re.MULTILINE)
DOCUMENTS = sorted(path.name for path in (ROOT / "docs").glob("*.md") if BLOCK.search(path.read_text()))
# The others begin where cluster prod is known.
FROM_THE_START = {"what-leaked.md", "install.md"}


@pytest.fixture(scope="session")
def python_client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], check=True, timeout=120,
                   cwd=ROOT / "Clients/python", stdout=subprocess.DEVNULL)
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(folder / "site")
    return folder / "site"


def test_there_are_documents_with_commands():
    assert {"what-leaked.md", "install.md", "curl.md", "grpcurl.md", "python.md", "json.md"} <= set(DOCUMENTS)


def test_each_reason_for_a_refused_start_has_a_line_that_says_what_to_do():
    schema = (ROOT / "Proto/omni/management/v1/management.proto").read_text()
    comment = re.search(r"((?:  //.*\n)+)  rpc RotateSecret\(", schema)[1]
    types = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", comment)) - {"FAILED_PRECONDITION"} | {"UNREADY", "CLOCK"}
    troubleshooting = (ROOT / "docs/troubleshooting.md").read_text()
    table = troubleshooting.partition("## A start that is refused")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| ([A-Z_]+) \|", table, re.MULTILINE)) == types


def test_the_api_reference_is_what_the_schema_says():
    result = subprocess.run([sys.executable, ROOT / "scripts/make-api-docs", "--check"], capture_output=True, text=True,
                            timeout=60)
    assert result.returncode == 0, result.stderr


def test_the_swift_example_stands_in_its_document_and_rotates(new_lab):
    code = (ROOT / "Clients/Examples/RotateAndWait/RotateAndWait.swift").read_text()
    assert f"```swift\n{code}```" in (ROOT / "docs/swift.md").read_text()
    lab = new_lab(control_planes=1, workers=1).start()
    lab.import_cluster()
    program = lab.binaries / "rotate-and-wait"
    run = subprocess.Popen([program, f"unix:{lab.socket}", lab.name], stdout=subprocess.PIPE, text=True)
    # It lives through an end of omnid, once it has the answer to its call.
    eventually(lambda: lab.status().machines_done, every=0.01)
    lab.stop(9)
    lab.start()
    output, _ = run.communicate(timeout=120)
    assert run.returncode == 0 and lab.status().new_ca_fingerprint in output, output
    lab.switch(lab.workers[0].name, "stop")
    refused = subprocess.run([program, f"unix:{lab.socket}", lab.name], capture_output=True, text=True, timeout=120)
    assert refused.returncode == 1 and f"MACHINE_UNREACHABLE {lab.workers[0].name}" in refused.stdout, refused.stdout


def test_no_link_between_the_documents_leads_nowhere():
    documents = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), *(ROOT / "Clients").rglob("*.md")]
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", document.read_text()):
            if target and not target.startswith(("http", "data:")):
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_a_document_do_what_it_says(new_lab, blocks, python_client, tmp_path, document):
    lab = new_lab(control_planes=1, workers=1).start()
    (tmp_path / ".talos").mkdir()
    (tmp_path / ".talos/config").write_text(lab.talosconfig)
    if document not in FROM_THE_START:
        lab.call("ImportCluster", cluster="prod", talosconfig=lab.talosconfig)
    text = "\n".join(BLOCK.findall((ROOT / "docs" / document).read_text()))
    # What a document cannot know: where this omnid listens, and which addresses are free here.
    text = text.replace("/run/omnid/omnid.sock", str(lab.socket)).replace("127.0.10.0", f"127.0.{next(blocks)}.0")
    environment = {
        **os.environ, "HOME": str(tmp_path), "OMNI_ENDPOINT": f"unix:{lab.socket}", "PYTHONPATH": str(python_client),
        "PATH": os.pathsep.join([str(lab.binaries), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])}
    result = subprocess.run(["bash", "-euo", "pipefail"], input=text, capture_output=True, text=True, timeout=300,
                            cwd=tmp_path, env=environment)
    assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
