"""What is installed is what was locked, and the wheel holds everything that a closed network needs."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.city import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(folder), str(ROOT)], check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.mark.parametrize(
    "pattern",
    [
        r"gateway/web/templates/fax\.html",
        r"gateway/web/static/style\.css",
        r"gateway/web/static/vendor/.*htmx.*\.js",
        r"gateway/migrations/versions/0001_first\.py",
        r"routing/data/document_taxonomy\.csv",
        r"routing/data/notifiable_diseases\.csv",
        r"ocr/py\.typed",
        r"faxless-.*/licenses/LICENSE",
        r"faxless-.*/entry_points\.txt",
    ],
)
def test_the_wheel_holds(wheel: zipfile.ZipFile, pattern: str) -> None:
    assert any(re.fullmatch(pattern, name) for name in wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in wheel.namelist()} == {
        "gateway",
        "ocr",
        "routing",
        "faxless",
    }


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_pins_every_dependency_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==", text, re.MULTILINE)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=]", name)[0].lower() for name in wanted}
    assert names <= set(pinned)
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pinned)


def test_opencv_is_the_build_that_needs_no_display() -> None:
    """The other build wants libGL, which a server does not have."""
    text = (ROOT / "requirements.lock").read_text()
    assert "\nopencv-python-headless==" in text
    assert "\nopencv-python==" not in text
    spec = importlib.util.find_spec("cv2")
    assert spec is not None
    assert spec.origin is not None
    (library,) = Path(spec.origin).parent.glob("cv2*.so")
    needed = subprocess.run(["ldd", str(library)], check=True, capture_output=True, text=True).stdout
    assert "libGL.so" not in needed
