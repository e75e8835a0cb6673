import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def programs():
    return pathlib.Path(os.environ.get("OMNID_BIN_DIR", ROOT / ".build/release")).resolve()
