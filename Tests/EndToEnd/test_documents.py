"""The commands of the documents: each block is run as it stands there, or named here with the test that does it instead."""

import base64
import fnmatch
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import zipfile

import pytest

import documents
from documents import ROOT, Shell, in_place_of
from lab import eventually
from receiver import Receiver

# A block may be one of these. Whoever adds a block with commands has to say so, because a block of no language is refused.
LANGUAGES = {"sh", "console", "python", "swift", "java", "yaml", "json", "http", "text"}
RUNNABLE = {"run", "serve"}
DOCUMENTS = [name for name in documents.documents() if any(block.marks & RUNNABLE for block in documents.blocks(name))]
# Here no cluster prod is known yet.
FROM_THE_START = {"README.md", "docs/what-leaked.md", "docs/install.md"}

# The blocks with commands that are not run here, by document and first line, each with its reason. Those with the mark "deb" are
# run by packaging/tests/test_documents.py.
NOT_RUN_HERE = {
    ("README.md", "make demo"): "builds; its targets are looked up below",
    ("README.md", "make deb *"): "builds; the package is made by packaging/tests, the files by test_manual.py",
    ("README.md", "make test *"): "this is one of its tests",
    ("docs/access.md", "openssl pkcs8 *"): "test_grpc_java.py runs the line",
    ("docs/install.md", "make deb *"): "builds; the package is made by packaging/tests",
    ("docs/install.md", "make install *"): "builds; its targets are looked up below",
    ("docs/operate.md", "talosctl gen config *"): "there is no talosctl for the tests; test_secrets.py compares the file with one of talosctl's form",
    ("docs/services.md", "#!/bin/sh"): "test_hooks.py runs the examples as hooks",
    ("Clients/python/README.md", "pip install *"): "needs a network; Clients/python/tests builds the wheel and uses it",
}
# The tests that take the other blocks with programs out of their documents.
PROGRAMS = {
    ("docs/services.md", "python"): "Tests/EndToEnd/test_notifications.py",
    ("docs/swift.md", "swift"): "Tests/EndToEnd/test_documents.py",
    ("Clients/swift/README.md", "swift"): "Tests/EndToEnd/test_swift_client.py",
    ("Clients/python/README.md", "python"): "Clients/python/tests/test_package.py",
    ("Proto/README.md", "swift"): "Tests/SchemaTests",
}


def every_block():
    return [block for document in documents.documents() for block in documents.blocks(document)]


def test_every_block_has_fences_that_are_found():
    for document in documents.documents():
        text = documents.FENCE.sub("", (ROOT / document).read_text())
        assert not re.search(r"^ *(```|~~~)", text, re.MULTILINE), f"{document} has a block that no test sees"


def reason(block):
    return next((key for key in NOT_RUN_HERE if key[0] == block.document and fnmatch.fnmatchcase(block.first_line, key[1])), None)


def test_each_block_with_commands_is_run_or_named_with_a_reason():
    named = set()
    for block in every_block():
        assert block.language in LANGUAGES, f"say what {block} is: one of {sorted(LANGUAGES)}"
        assert block.marks <= {"run", "serve", "elsewhere", "deb"}, block
        assert block.language in ("sh", "python", "yaml", "console") or not block.marks, f"nothing can run {block}"
        if block.language == "sh" and not block.marks:
            assert reason(block), f"{block} is not run: mark it, or name it in NOT_RUN_HERE"
            named.add(reason(block))
        elif block.language in ("python", "swift") and not block.marks:
            assert (block.document, block.language) in PROGRAMS, f"nothing runs {block}"
            assert (ROOT / PROGRAMS[block.document, block.language]).exists()
        elif block.language in ("text", "http", "json", "yaml"):
            assert not re.search(r"^(\$ |(omnid|omnictl|talosim|curl|grpcurl|make|pip|systemctl|apt|sudo) )", block.text, re.MULTILINE), (
                f"{block} holds commands")
    assert named == set(NOT_RUN_HERE), "a reason for a block that is no more"


def test_the_blocks_for_a_machine_with_systemd_are_those_that_the_tests_of_the_package_run():
    taken = set(re.findall(r'"(docs/\S+\.md)"', (ROOT / "packaging/tests/test_documents.py").read_text()))
    assert {block.document for block in every_block() if "deb" in block.marks} == taken


def test_each_target_of_make_that_a_document_names_is_there():
    makefile = (ROOT / "Makefile").read_text()
    there = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set()
    for document in documents.documents():
        text = (ROOT / document).read_text()
        named |= set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert {"demo", "deb", "install", "test"} <= named <= there, named - there


@pytest.fixture(scope="session")
def python_client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], check=True, timeout=120,
                   cwd=ROOT / "Clients/python", stdout=subprocess.DEVNULL)
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(folder / "site")
    return folder / "site"


def test_each_reason_for_a_refused_start_has_a_line_that_says_what_to_do():
    schema = (ROOT / "Proto/omni/management/v1/management.proto").read_text()
    comment = re.search(r"((?:  //.*\n)+)  rpc RotateSecret\(", schema)[1]
    codes = {"FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
    types = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", comment)) - codes | {"UNREADY", "CLOCK"}
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
    for document in documents.documents():
        for target, place in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", (ROOT / document).read_text()):
            if target.startswith(("http", "data:")):
                continue
            file = (ROOT / document).parent / target if target else ROOT / document
            assert file.exists(), f"{document} links to {target}"
            if place and file.suffix == ".md":
                assert place in anchors(file), f"{document} links to {target}#{place}"


def anchors(file):
    """The places of a document that a link can name, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", file.read_text(), flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Reader:
    """Somebody who follows a document on a machine of their own: a home, the directories that it names, a cluster and an omnid."""

    def __init__(self, lab, folder, addresses, python_client):
        self.lab, self.folder = lab, folder
        self.endpoint = f"unix:{lab.socket}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in (".talos", "etc/omnid", "etc/prometheus", "backup"):
            (folder / name).mkdir(parents=True)
        (folder / "etc/omnid").chmod(0o755)
        (folder / ".talos/config").write_text(lab.talosconfig)
        # As in a checkout.
        for name in ("Proto", "packaging", "docs"):
            (folder / name).symlink_to(ROOT / name)
        self.receiver = Receiver(folder, b"correct horse battery staple")
        (folder / "ops.secret").touch(mode=0o600)
        (folder / "ops.secret").write_text(self.receiver.secret.decode())
        (folder / "notify.yaml").write_text(
            f"targets:\n- {{name: ops, url: '{self.receiver.url}', secret-file: ops.secret, ca-file: '{self.receiver.ca}'}}\n")
        # What a document cannot know: where this omnid listens, and which files, ports and addresses are free here.
        self.places = {
            "/run/omnid/omnid.sock": lab.socket, "/var/lib/omnid": lab.state, "127.0.10.0": addresses,
            "/etc/omnid": folder / "etc/omnid", "/etc/omnid-trust": folder / "etc/omnid-trust",
            "/etc/prometheus": folder / "etc/prometheus", "/backup": folder / "backup",
            "0.0.0.0:8443": f"127.0.0.1:{self.port}", "omnid.example.org:8443": f"localhost:{self.port}",
            "https://omnid.example.org:8443": f"https://localhost:{self.port}", "omnid.example.org": "localhost",
            # The identifier of the token that the document has issued.
            "t-42855093779b9ac9": "$(omnictl access list | awk '$3 == \"ci\" { print $1 }')",
            "https://hooks.example.org/omnid": self.receiver.url, "# ca-file: hooks-ca.pem": f"ca-file: {self.receiver.ca}"}
        settings = (ROOT / "packaging/omnid.yaml").read_text()
        (folder / "etc/omnid/omnid.yaml").write_text(in_place_of(settings, self.places))
        self.environment = {
            **os.environ, "HOME": str(folder), "OMNI_ENDPOINT": self.endpoint, "PYTHONPATH": str(python_client),
            "OMNID_LISTEN": self.endpoint, "OMNID_STATE_DIR": str(lab.state),
            "PATH": os.pathsep.join([str(lab.binaries), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])}
        self.shell = Shell(folder, self.environment)

    def close(self):
        self.shell.close()
        self.receiver.close()

    def follow(self, block):
        """Does what the block says; returns what was printed."""
        text = in_place_of(block.text, self.places)
        if "serve" in block.marks:
            return self.serve(text)
        if block.language == "yaml":
            pathlib.Path(re.match(r"# (/\S+)\n", text)[1]).write_text(text)
            return ""
        if block.language == "console":
            text = re.match(r"\$ (.*\n)", text)[1].rstrip() + " || true\n"
        if block.language == "python":
            text = f"python3 - <<'PYTHON'\n{text}PYTHON\n"
        if "elsewhere" in block.marks:
            # On another machine there is no socket of omnid: a context says where it is.
            text = f"unset OMNI_ENDPOINT\n{text}\nexport OMNI_ENDPOINT='{self.endpoint}'\n"
        return self.shell.run(text)

    def start(self):
        """The omnid that a document takes for granted."""
        self.lab.start("--listen", f"tls:127.0.0.1:{self.port}", "--tls-name", "localhost")

    def rotations(self, cluster="prod"):
        """The states of a cluster's rotations, the newest first."""
        found = self.lab.call("ListRotations", cluster=cluster).rotations
        return [self.lab.stubs.management.RotationState.Name(each.state).removeprefix("ROTATION_STATE_") for each in found]

    def marks(self):
        return {mark.name for mark in self.lab.call("GetCluster", cluster="prod").cluster.marks}

    def mode(self, name):
        return (self.folder / name).stat().st_mode & 0o777

    def serve(self, text):
        """Starts the omnid of the document; the one that ran ends."""
        line, = text.splitlines()
        assert line.startswith("omnid serve")
        self.lab.stop()
        self.lab.omnid = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.environment, stderr=self.lab.omnid_log)
        eventually(self.lab.is_serving, every=0.01)
        return ""


# What is to be seen after a block, by document and the block's beginning, where its exit status alone says little.
CHECKS = {}


def after(document, beginning):
    def take(check):
        CHECKS[document, beginning] = check
        return check
    return take


@after("README.md", "omnictl cluster import prod")
def both_cas_are_rotated_and_the_fresh_credentials_are_for_nobody_else(reader, printed):
    assert "would" in printed or "plan" in printed, printed
    assert reader.rotations() == ["SUCCEEDED", "SUCCEEDED"]
    assert reader.mode("talosconfig") == reader.mode("kubeconfig") == 0o600


@after("README.md", "curl --unix-socket")
@after("docs/access.md", "omnictl --context prod access issue --name robot")
def curl_shows_the_status(reader, printed):
    assert json.JSONDecoder().raw_decode(printed, printed.index("{"))[0]["status"]["cluster"] == "prod"


@after("README.md", "grpcurl -plaintext")
def grpcurl_lists_the_services_and_follows_a_rotation(reader, printed):
    assert "omni.management.v1.ManagementService" in printed.split() and "ROTATION_STATE_SUCCEEDED" in printed


@after("README.md", "from omnid_client import")
def python_rotates(reader, printed):
    assert reader.rotations() == ["SUCCEEDED"] * 3 and reader.lab.status().reason == "leaked" and "POST_ROTATE" in printed


@after("README.md", "omnictl access issue --name ann")
@after("docs/access.md", "omnictl access issue --name ann")
def the_first_admin_has_a_file(reader, printed):
    assert reader.mode("ann.yaml") == 0o600 and "admin" in printed


@after("README.md", "omnictl context add prod")
@after("docs/access.md", "omnictl context add prod")
def the_token_is_issued_over_tls_and_revoked(reader, printed):
    row = re.search(r"^(t-\w+) +token +ci .* valid .* cn:ann/", printed, re.MULTILINE)
    assert row and f"token {row[1]} of ci is revoked" in printed, printed


@after("README.md", "omnictl check")
def it_is_kept_running(reader, printed):
    assert re.search(r"https://\S+/login#", printed) and "the configuration is good" in printed, printed
    assert (reader.folder / "backup/omnid.backup").stat().st_size > 0 and "under the master key" in printed
    assert reader.receiver.kinds() == ["notification.test"] and not reader.receiver.faults


@after("docs/access.md", "(umask 077; sed -n 's/^ *key: //p' ann.yaml")
def other_clients_are_known_by_the_certificate(reader, printed):
    assert '"name":"prod"' in printed and "omni.management.v1.ManagementService" in printed.split()


@after("docs/curl.md", "call RotateSecret")
def curl_says_why(reader, printed):
    assert "curl ended with 22" in printed and '"invalid_argument"' in printed, printed


@after("docs/dashboard.md", "omnictl dashboard")
def the_dashboard_has_a_link(reader, printed):
    assert f"https://localhost:{reader.port}/login#" in printed
    assert (reader.folder / "omnid-ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")


@after("docs/grpcurl.md", "grpcurl -plaintext -unix \"$socket\" grpc.health")
def grpcurl_is_told_of_the_service_and_the_log(reader, printed):
    assert '"SERVING"' in printed and "RotateSecret" in (reader.folder / "audit.json").read_text()


@after("docs/install.md", "talosim ")
def a_simulated_cluster_is_rotated(reader, printed):
    assert reader.rotations("sim") == ["SUCCEEDED"]


@after("docs/monitoring.md", "curl ")
def the_metrics_are_shown(reader, printed):
    assert "omnid_build_info{" in printed


@after("docs/monitoring.md", "sed -n ")
def the_token_is_the_context_s(reader, printed):
    assert (reader.folder / "etc/prometheus/omnid.token").read_text().startswith("omni_")
    assert reader.mode("etc/prometheus/omnid.token") == 0o640


@after("docs/monitoring.md", "cp ")
def promtool_takes_the_configuration(reader, printed):
    assert "is valid prometheus config" in printed and re.search(r"[0-9]+ rules found", printed), printed


@after("docs/operate.md", "age-keygen -o")
def the_backup_is_age_s(reader, printed):
    assert (reader.folder / "backup/omnid-3.backup").read_bytes().startswith(b"age-encryption.org/v1\n")
    assert re.search(r"^  age1[a-z0-9]{58}$", printed, re.MULTILINE), printed


@after("docs/operate.md", "omnid restore --from")
def the_backup_is_restored_in_both_ways(reader, printed):
    assert printed.count("restored 1 cluster as of") == 2, printed
    key = (reader.lab.state / "master.key").read_bytes()
    for name in ("restored", "restored-by-age"):
        assert (reader.folder / name / "omnid.db").exists() and (reader.folder / name / "master.key").read_bytes() == key


@after("docs/operate.md", "omnid rekey")
def the_store_is_under_another_key(reader, printed):
    assert "is under the master key" in printed


@after("docs/operate.md", "omnictl cluster -n prod secrets export")
def the_secrets_are_for_nobody_else(reader, printed):
    assert reader.mode("secrets.yaml") == 0o600 and "trustdinfo" in (reader.folder / "secrets.yaml").read_text()


@after("docs/operate.md", "omnictl cluster -n prod talosconfig --break-glass")
def the_cluster_is_marked(reader, printed):
    assert "tainted-by-break-glass" in reader.marks() and reader.mode("emergency-talosconfig") == 0o600


@after("docs/services.md", "omnid serve --trust-bundle-dir")
def the_files_of_trust_are_laid_out(reader, printed):
    bundle = reader.folder / "etc/omnid-trust/prod/bundle.json"
    eventually(bundle.exists)
    assert {file.name for file in bundle.parent.iterdir()} == {"talos-ca.pem", "kubernetes-ca.pem", "bundle.json"}


@after("docs/services.md", "curl ")
def the_cas_to_trust_are_shown(reader, printed):
    assert printed == (reader.folder / "etc/omnid-trust/prod/talos-ca.pem").read_text() != ""


@after("docs/services.md", "(umask 077; (printf whsec_")
def the_receiver_knows_the_secret(reader, printed):
    secret = (reader.folder / "etc/omnid/ops.secret").read_text()
    reader.receiver.secret = base64.b64decode(secret.strip().removeprefix("whsec_"))
    assert reader.mode("etc/omnid/ops.secret") == 0o600


@after("docs/services.md", "omnid config check")
def the_target_has_taken_the_test_event(reader, printed):
    assert reader.receiver.kinds() == ["notification.test"] and not reader.receiver.faults, printed


@after("docs/talosim.md", "control() {")
def the_machine_is_off(reader, printed):
    assert re.search(r'"up": ?false', printed), printed


@after("docs/terminal.md", "omnictl completion")
def there_are_completions(reader, printed):
    for name in ("omnictl.bash", "_omnictl", "omnictl.fish"):
        assert "omnictl __complete" in (reader.folder / name).read_text()


@after("docs/what-leaked.md", "omnictl cluster -n prod secret rotate talos-ca --yes")
def both_cas_are_rotated_for_the_leak(reader, printed):
    assert reader.rotations() == ["SUCCEEDED", "SUCCEEDED"] and not reader.marks()


@after("docs/what-leaked.md", "omnictl credential check")
def the_leaked_file_is_worth_nothing(reader, printed):
    assert "No machine lets it in any more." in printed, printed


@after("Proto/README.md", "python -m grpc_tools")
def there_are_stubs(reader, printed):
    assert (reader.folder / "omni/management/v1/management_pb2_grpc.py").exists()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_a_document_do_what_it_says(new_lab, blocks, python_client, tmp_path, document):
    lab = new_lab(control_planes=1, workers=1)
    lab.name = "prod"
    reader = Reader(lab, tmp_path, f"127.0.{next(blocks)}.0", python_client)
    steps = [block for block in documents.blocks(document) if block.marks & RUNNABLE]
    checks = {key: check for key, check in CHECKS.items() if key[0] == document}
    try:
        if "serve" not in steps[0].marks or document not in FROM_THE_START:
            reader.start()
        if document not in FROM_THE_START:
            lab.import_cluster()
        for block in steps:
            printed = reader.follow(block)
            if block.language == "console":
                assert printed == block.text.partition("\n")[2]
            for key in [key for key in checks if block.text.startswith(key[1])]:
                checks.pop(key)(reader, printed)
    finally:
        reader.close()
    assert not checks, "what was to be looked at is not in the document"
