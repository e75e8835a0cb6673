import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def programs():
    return pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()


@pytest.fixture(scope="session")
def packages(tmp_path_factory, programs):
    """Two packages, the second an upgrade of the first."""
    folder = tmp_path_factory.mktemp("deb")
    built = []
    for version in ("0.1.0+1.test", "0.1.0+2.test"):
        subprocess.run([ROOT / "packaging/build-deb", folder], check=True, timeout=300, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DEB_VERSION": version, "OMNID_BIN_DIR": str(programs), "DEB_COMPRESSION": "none"})
        built.append(next(folder.glob(f"omnid_{version}_*.deb")))
    return built
