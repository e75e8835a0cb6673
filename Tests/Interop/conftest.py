import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> pathlib.Path:
    """A folder with ca.pem, server.pem, server.key, client.pem and client.key."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run([HERE / "make-certificates", folder], check=True)
    return folder
