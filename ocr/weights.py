"""PP-OCRv6's weights: where they lie, whether they are the ones that were measured, and the sessions made from them.

They lie inside the rapidocr wheel (Apache-2.0). Nothing of rapidocr is imported and nothing is ever downloaded: weights
that are not there, or not those of the hashes below, are an :class:`~ocr.errors.EngineMissing`. The bytes that were
hashed are the bytes that are run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocr.errors import EngineMissing

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
UPRIGHT = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_SHA256 = {
    DETECTOR: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    RECOGNISER: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    UPRIGHT: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
}

# Where things stand in the recogniser's file (the hash says that it is this file): its characters, one a line, and the
# last layer, 120 numbers for each of 18,710 outputs.
_CHARACTERS = slice(21_159_437, 21_159_437 + 74_946)
_DEPTH, _OUTPUTS = 120, 18_710
_HEAD = {"linear_8.w_0": (12_060_773, (_DEPTH, _OUTPUTS)), "linear_8.b_0": (21_041_601, (_OUTPUTS,))}

# What Japanese offices write and cp932 lacks.
_EXTRA = "–—‐·•€£¥“”‘’…〜"

_MISSING = (
    "読取エンジン paddle(rapidocr・onnxruntime)が入っていません。 "
    "The engine 'paddle' (packages rapidocr and onnxruntime) is not installed."
)


@dataclass(frozen=True, slots=True)
class Models:
    """The three networks on one thread, ready to run."""

    name: str
    detector: Any
    recogniser: Any
    upright: Any
    alphabet: tuple[str, ...]
    """What the recogniser's outputs mean; the first is "no character"."""
    borrowed: tuple[Any, ...]
    """What the recogniser's session holds by pointer only: it must live as long as the session."""


def load() -> Models:
    """Check the weights and make the sessions. Raises :class:`EngineMissing`."""
    name, weights = _verified()
    try:
        import onnxruntime  # 60 MB that only this engine needs
    except ImportError as error:
        raise EngineMissing(_MISSING) from error
    alphabet, layer = _japanese_head(weights[RECOGNISER])
    head = {part: onnxruntime.OrtValue.ortvalue_from_numpy(values) for part, values in layer.items()}
    return Models(
        name,
        detector=_session(onnxruntime, weights[DETECTOR], {}),
        recogniser=_session(onnxruntime, weights[RECOGNISER], head),
        upright=_session(onnxruntime, weights[UPRIGHT], {}),
        alphabet=alphabet,
        borrowed=(*head.values(), *layer.values()),
    )


def probe() -> str:
    """The engine's name, after checking its packages and the hash of its weights. Raises :class:`EngineMissing`."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise EngineMissing(_MISSING)
    return _verified()[0]


def _folder() -> Path:
    spec = importlib.util.find_spec("rapidocr")  # finds the package, imports nothing
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissing(_MISSING)
    return Path(spec.submodule_search_locations[0]) / "models"


def _verified() -> tuple[str, dict[str, bytes]]:
    """The engine's name and its weights, when every one is the one that was measured."""
    folder, total, weights = _folder(), hashlib.sha256(), {}
    for file, expected in _SHA256.items():
        try:
            weights[file] = (folder / file).read_bytes()
        except OSError as error:
            raise EngineMissing(
                f"読取エンジン paddle の重み {file} がありません。 "
                f"The weights {file} of the engine 'paddle' are missing."
            ) from error
        found = hashlib.sha256(weights[file]).hexdigest()
        if found != expected:
            raise EngineMissing(
                f"読取エンジン paddle の重み {file} が検証値と一致しません。 "
                f"The weights {file} of the engine 'paddle' do not match their SHA-256."
            )
        total.update(bytes.fromhex(found))
    return f"paddle/{importlib.metadata.version('rapidocr')} {total.hexdigest()[:8]}", weights


def _japanese_head(recogniser: bytes) -> tuple[tuple[str, ...], dict[str, NDArray[np.float32]]]:
    """The alphabet of a Japanese office, and the last layer with the outputs for it alone.

    A third of the outputs is a tenth less time a line, and with the others unlearned the shares are what a choice among
    the remaining would give (softmax).
    """
    characters = recogniser[_CHARACTERS].decode().split("\n")
    keep = [index for index, character in enumerate(characters, 1) if _japanese(character)]
    # CTC: 0 is "no character", the last one the space.
    columns = np.array([0, *keep, len(characters) + 1])
    head = {
        name: np.ascontiguousarray(
            np.frombuffer(recogniser, "<f4", int(np.prod(shape)), start).reshape(shape)[..., columns]
        )
        for name, (start, shape) in _HEAD.items()
    }
    return ("", *(characters[index - 1] for index in keep), " "), head


def _japanese(character: str) -> bool:
    """Whether a Japanese office writes it: JIS X 0208, ASCII and the usual vendor characters (cp932).

    Takes 12,000 characters out of the model's 18,708, most of them Chinese: 别, 诊, 歲 come no more for 別, 診, 歳
    (exact handwritten-style fields 90.2 -> 95.1 %).
    """
    if character in _EXTRA:
        return True
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _session(onnxruntime: Any, model: bytes, instead: dict[str, Any]) -> Any:
    """A session of one thread; *instead*: values that it runs with in place of the file's own."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Without the arena memory goes back after each page: lines have many widths, and the arena keeps the sum.
    options.enable_cpu_mem_arena = False
    for name, value in instead.items():
        options.add_initializer(name, value)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
