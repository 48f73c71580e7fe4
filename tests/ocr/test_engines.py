"""Engines that are not there, or not whole, are found before the first fax; and nothing is ever fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr import engine as engines
from ocr import paddle as paddle_engine
from ocr import weights
from ocr.errors import EngineMissing

ROOT = Path(__file__).parents[2]


def test_probe_says_what_load_says(paddle, tesseract):
    assert engines.probe("paddle") == paddle.name
    assert engines.probe("tesseract") == tesseract.name
    assert paddle.name == "paddle/3.10.0 " + paddle.name[-8:]
    assert tesseract.name.split()[1] == "jpn"
    assert len(tesseract.name.split()[2]) == 8  # of the hash


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """A copy of the weights, taken for the real ones."""
    folder = tmp_path / "models"
    folder.mkdir()
    for file in weights._SHA256:
        shutil.copy(weights._folder() / file, folder)
    monkeypatch.setattr(weights, "_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("file", weights._SHA256)
def test_changed_or_missing_weights_are_refused(models, file):
    whole = (models / file).read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    for content in (changed, whole[:-1], b""):
        (models / file).write_bytes(content)
        for call in (engines.load, engines.probe):
            with pytest.raises(EngineMissing, match=rf"一致しません.*{file}.*SHA-256"):
                call("paddle")
    (models / file).unlink()
    with pytest.raises(EngineMissing, match=r"重み.*ありません.*missing") as caught:
        engines.load("paddle")
    assert not caught.value.again


@pytest.mark.parametrize("package", ["rapidocr", "onnxruntime"])
def test_a_missing_package_is_said_in_both_languages(package, monkeypatch):
    find = weights.importlib.util.find_spec
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None if name == package else find(name))
    monkeypatch.setitem(sys.modules, package, None)  # what import says of a package that is not there
    for call in (engines.load, engines.probe):
        with pytest.raises(EngineMissing, match=r"入っていません.*not installed"):
            call("paddle")


def test_the_smaller_head_says_what_the_whole_one_says():
    """The outputs for Japanese characters, alone, are those of the untouched file, each as a share of their sum."""
    file = (weights._folder() / weights.RECOGNISER).read_bytes()
    whole = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    models = weights.load()
    line = np.random.default_rng(3).uniform(-1, 1, (1, 3, 48, 160)).astype(np.float32)
    everything, ours = (session.run(None, {"x": line})[0][0] for session in (whole, models.recogniser))
    characters = whole.get_modelmeta().custom_metadata_map["character"].split("\n")
    places = [0, *(characters.index(one) + 1 for one in models.alphabet[1:-1]), len(characters) + 1]
    assert len(models.alphabet) == ours.shape[1] < everything.shape[1] / 2
    expected = everything[:, places]
    assert np.allclose(ours, expected / expected.sum(1, keepdims=True), atol=1e-4)


OFFLINE = """
import socket, sys
def refuse(*words, **more):
    raise SystemExit("something asked for the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from ocr import engine
print(engine.load(sys.argv[1]).name)
print([name for name in ("rapidocr", "requests", "urllib3", "http.client", "urllib.request") if name in sys.modules])
"""


def test_nothing_of_rapidocr_is_imported_that_could_fetch_anything():
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "paddle"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    name, could_fetch = done.stdout.splitlines()
    assert name.startswith("paddle/")
    assert could_fetch == "[]"


def test_missing_tesseract_or_japanese_data_is_said_in_both_languages(tmp_path, monkeypatch):
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"日本語データ.*Japanese data") as caught:
        engines.load("tesseract")
    assert not caught.value.again
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="tesseract-ocr"):
        engines.probe("tesseract")


def test_japanese_data_that_tesseract_cannot_read_is_found_at_once(tmp_path, monkeypatch):
    # It is in Tesseract's own list all the same: the list goes by names.
    (tmp_path / "jpn.traineddata").write_bytes(b"not what Tesseract wants")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"壊れています.*cannot read"):
        engines.probe("tesseract")


def test_the_hash_is_of_the_data_that_tesseract_uses(tmp_path, monkeypatch, tesseract):
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)
    told = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True).stdout
    data = Path(told.split('"')[1]) / "jpn.traineddata"
    other = tmp_path / "jpn.traineddata"
    other.write_bytes(data.read_bytes() + b"\0")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert engines.probe("tesseract").split()[:2] == tesseract.name.split()[:2]
    assert engines.probe("tesseract") != tesseract.name


def test_only_the_part_with_ink_is_looked_at():
    grey = np.full((2200, 1728), 255, np.uint8)
    assert paddle_engine._pieces(grey, 2200) == []
    grey[300:340, 200:900] = 0
    grey[1500, 1000] = 170  # a lone dot, as the blur leaves it
    assert paddle_engine._pieces(grey, 2200) == [(168, 268, 932, 372)]
    grey[0, 0] = grey[2199, 1727] = 0
    assert paddle_engine._pieces(grey, 2200) == [(0, 0, 1728, 2200)]


@given(st.integers(1, 3000), st.integers(1, 60_000), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_pieces_of_a_page_hold_all_its_ink_and_none_is_too_long(short, long, lying, seed):
    shape = (short, long) if lying else (long, short)
    scale = max(1, short * long // 4_000_000)
    shape = (max(1, shape[0] // scale), shape[1]) if lying else (shape[0], max(1, shape[1] // scale))
    grey = np.full(shape, 255, np.uint8)
    random = np.random.default_rng(seed)
    grey[random.integers(0, shape[0], 50), random.integers(0, shape[1], 50)] = 0
    longest = paddle_engine._sheet(shape)
    pieces = paddle_engine._pieces(grey, longest)
    assert len(pieces) <= 100  # 60,000 dots, each piece at least 600
    seen = np.zeros(shape, bool)
    for left, top, right, bottom in pieces:
        assert 0 < max(right - left, bottom - top) <= max(longest, min(shape))
        seen[top:bottom, left:right] = True
    assert seen[grey == 0].all()


@pytest.mark.parametrize("turned", [0, 90])
def test_a_roll_of_paper_is_read_to_its_end(paper, paddle, turned):
    """Two metres, in letters that would be 3 dots high if the whole page were looked at in one go."""
    lines = tuple(f"第{number}項 検査結果の値は陰性でした" for number in range(1, 31))
    page = Image.new("1", (1728, 15_700), 1)
    part = paper.draw(lines[:15], height=1750).resize((1152, 1167))
    page.paste(part, (100, 100))
    page.paste(paper.draw(lines[15:], height=1750).resize((1152, 1167)), (100, 14_400))
    sight = paddle.read(page.rotate(turned, expand=True))
    read = {"".join(run.text.split()) for run in sight.runs}
    assert sight.turned == turned
    assert len(read & {"".join(line.split()) for line in lines}) >= 28


def test_a_character_of_which_nothing_is_likely_stays_itself(paddle: paddle_engine.Paddle) -> None:
    nothing = np.full((3, len(paddle.models.alphabet)), 1e-5)
    assert paddle._choice(("感", 1e-5), nothing)[0] == ("感", 1e-5)
