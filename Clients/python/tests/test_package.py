"""The package as files: what a wheel and an sdist hold, and what a type checker says."""

import inspect
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

import omnid_client
from omnid_client import pb

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
SERVICE = pb.DESCRIPTOR.services_by_name["ManagementService"]


def mypy(*arguments, site, cwd):
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cwd / "cache", *arguments],
        capture_output=True, text=True, timeout=300, cwd=cwd, env={**os.environ, "MYPYPATH": str(site)})


def python_blocks():
    """The examples of the README."""
    return re.findall(r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def files(wheel):
    return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("RECORD")}


def test_the_sdist_makes_the_same_wheel_where_there_is_no_repository(dist, tmp_path):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path, filter="data")
    assert not [name for name in names if re.search(r"_pb2|_calls", name)], "an sdist holds the schema, not what is made"
    unpacked = next(tmp_path.iterdir())
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=unpacked, check=True, timeout=120,
                   stdout=subprocess.DEVNULL)
    again = files(zipfile.ZipFile(next(unpacked.glob("dist/*.whl"))))
    first = files(zipfile.ZipFile(next(dist.glob("*.whl"))))
    assert again == first
    assert {"omnid_client/py.typed", "omnid_client/_calls.py", "omnid_client/management_pb2.py",
            "omnid_client/management_pb2.pyi"} <= first.keys()
    assert any(name.endswith("licenses/LICENSE") for name in first)


def test_nothing_that_is_generated_stands_beside_the_sources():
    assert not list((PACKAGE / "src").rglob("*_pb2*")) and not list((PACKAGE / "src").rglob("_calls.py"))


def test_the_types_of_the_package_and_of_its_examples_are_sound(site, tmp_path):
    result = mypy("-p", "omnid_client", site=site, cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    for index, block in enumerate(python_blocks()):
        (tmp_path / f"example{index}.py").write_text(block)
    examples = sorted(path.name for path in tmp_path.glob("example*.py"))
    assert len(examples) >= 4
    result = mypy(*examples, site=site, cwd=tmp_path)
    assert result.returncode == 0, result.stdout


def test_a_wrong_type_is_found(site, tmp_path):
    (tmp_path / "wrong.py").write_text(
        "from omnid_client import Client\n"
        "with Client() as omnid:\n"
        "    omnid.rotate_secret('prod', dry_run='yes')\n"
        "    omnid.get_cluster('prod').cluster.colour\n")
    result = mypy("wrong.py", site=site, cwd=tmp_path)
    assert "wrong.py:3" in result.stdout and "wrong.py:4" in result.stdout, result.stdout


def test_the_package_has_the_version_of_the_release_that_it_comes_with():
    release = (PACKAGE.parents[1] / "Sources/Programs/Release/Release.swift").read_text()
    assert f'version = "{omnid_client.__version__}"' in release


@pytest.mark.parametrize("method", list(SERVICE.methods), ids=lambda method: method.name)
def test_each_call_is_a_method_with_the_fields_of_its_request(method):
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.name).lower()
    for client in (omnid_client.Client, omnid_client.AsyncClient):
        function = getattr(client, name)
        assert set(inspect.signature(function).parameters) - {"self", "timeout"} == {
            field.name for field in method.input_type.fields}
        assert function.__doc__, "the schema's comment is its docstring"


def test_the_examples_of_the_readme_do_what_they_say(imported, site):
    lab, client = imported(control_planes=1, workers=1)
    client.forget_cluster(lab.name)
    client.import_cluster("prod", talosconfig=lab.talosconfig)
    printed = [
        subprocess.run([sys.executable, "-"], input=block, capture_output=True, text=True, timeout=180, env={
            **os.environ, "PYTHONPATH": str(site), "OMNI_ENDPOINT": f"unix:{lab.socket}"})
        for block in python_blocks()]
    assert [each.returncode for each in printed] == [0] * len(printed), [each.stderr for each in printed]
    assert "POST_ROTATE" in printed[0].stdout
    last = client.list_rotations("prod").rotations[0]
    assert last.state == pb.ROTATION_STATE_SUCCEEDED and last.reason == "laptop was stolen"
