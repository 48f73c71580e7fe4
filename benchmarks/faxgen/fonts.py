"""Fonts by family name, with a stand-in for every family that a machine does not have.

Printed text uses Debian's fonts-ipafont-mincho, fonts-ipafont-gothic (IPA Font License 1.0), fonts-noto-cjk and
fonts-liberation (both SIL OFL 1.1). Handwriting style comes from four SIL OFL 1.1 families that the npm packages
``@fontsource/*`` carry; ``python -m benchmarks.faxgen fonts`` lays them into the git-ignored folder ``.fonts/``.
Handwriting *style* is not handwriting: figures measured on it promise nothing for real pens.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from PIL import ImageFont

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".fonts"

_IPA = "/usr/share/fonts/opentype/ipafont-"
_NOTO = "/usr/share/fonts/opentype/noto/"
_LIBERATION = "/usr/share/fonts/truetype/liberation/"
PRINTED: dict[str, tuple[str, ...]] = {
    "mincho": (_IPA + "mincho/ipamp.ttf",),
    "mincho-fixed": (_IPA + "mincho/ipam.ttf",),
    "gothic": (_IPA + "gothic/ipagp.ttf",),
    "gothic-fixed": (_IPA + "gothic/ipag.ttf",),
    "sans": (_NOTO + "NotoSansCJK-Regular.ttc", _IPA + "gothic/ipagp.ttf"),
    "sans-bold": (_NOTO + "NotoSansCJK-Bold.ttc", _IPA + "gothic/ipagp.ttf"),
    "serif": (_NOTO + "NotoSerifCJK-Regular.ttc", _IPA + "mincho/ipamp.ttf"),
    "serif-bold": (_NOTO + "NotoSerifCJK-Bold.ttc", _IPA + "mincho/ipamp.ttf"),
    "latin-serif": (_LIBERATION + "LiberationSerif-Regular.ttf", _IPA + "mincho/ipamp.ttf"),
    "latin-sans": (_LIBERATION + "LiberationSans-Regular.ttf", _IPA + "gothic/ipagp.ttf"),
    "latin-mono": (_LIBERATION + "LiberationMono-Regular.ttf", _IPA + "gothic/ipag.ttf"),
}
"""Family to font files, the wanted one first. Index 0 of the Noto collections is the Japanese face."""

HAND_PACKAGES = {
    "klee-one": "5.3.0",
    "yomogi": "5.3.0",
    "zen-kurenaido": "5.3.0",
    "yusei-magic": "5.3.0",
}
"""Handwriting-style family to the version of its npm package ``@fontsource/FAMILY``."""

FACES = ("mincho", "mincho-fixed", "gothic", "gothic-fixed", "sans", "serif")
"""Families a whole document is printed in."""

HANDS = tuple(HAND_PACKAGES)
_NO_CHARACTER = "\uffff"


class FontsMissing(RuntimeError):
    """Not even the IPA fonts are there."""


def install(folder: Path = FOLDER) -> Path:
    """Fetch the handwriting-style fonts with npm's ordinary client into *folder*; returns the folder.

    Raises `subprocess.CalledProcessError` when npm fails, `FileNotFoundError` when there is no npm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [f"@fontsource/{family}@{version}" for family, version in HAND_PACKAGES.items()]
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *wanted]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@dataclass
class FontBook:
    """Opens each font once and answers which font draws a character.

    ``folder`` is where `install` put the handwriting-style fonts; without them a handwritten value is drawn in
    IPA fonts (still tilted and jittered) and `stand_ins` says so.
    """

    folder: Path = FOLDER
    used: set[str] = field(default_factory=set)
    stand_ins: set[str] = field(default_factory=set)
    _open: dict[tuple[str, int], ImageFont.FreeTypeFont] = field(default_factory=dict)
    _paths: dict[str, str] = field(default_factory=dict)
    _has: dict[tuple[str, str], bool] = field(default_factory=dict)

    def start(self) -> None:
        """Forget what was used: a new fax begins."""
        self.used.clear()
        self.stand_ins.clear()

    def font(self, family: str, px: int, character: str = "") -> ImageFont.FreeTypeFont:
        """The font of *family* at *px* pixels; IPA's where the family has no glyph for *character*."""
        path = self._path(family)
        if character and not self._draws(path, character):
            family, path = "gothic", self._path("gothic")
        self.used.add(Path(path).stem)
        return self._at(path, px)

    def width(self, text: str, family: str, px: int) -> float:
        """Advance of *text* in pixels, as `Sheet.text` will set it."""
        if family in HANDS:
            return sum(self.font(family, px, c).getlength(c) for c in text) * 1.05
        return self.font(family, px).getlength(text)

    def _at(self, path: str, px: int) -> ImageFont.FreeTypeFont:
        key = (path, px)
        if key not in self._open:
            self._open[key] = ImageFont.truetype(path, px, layout_engine=ImageFont.Layout.BASIC)
        return self._open[key]

    def _path(self, family: str) -> str:
        if family not in self._paths:
            self._paths[family] = self._find(family)
        path = self._paths[family]
        wanted = self._candidates(family)[0]
        if path != wanted:
            self.stand_ins.add(f"{family}: {Path(path).stem}")
        return path

    def _candidates(self, family: str) -> tuple[str, ...]:
        if family not in HANDS:
            return PRINTED[family]
        name = f"node_modules/@fontsource/{family}/files/{family}-japanese-400-normal.woff2"
        return (str(self.folder / name), PRINTED["mincho"][0])

    def _find(self, family: str) -> str:
        for candidate in self._candidates(family):
            if Path(candidate).exists():
                return candidate
        raise FontsMissing("install Debian's fonts-ipafont-mincho and fonts-ipafont-gothic")

    def _draws(self, path: str, character: str) -> bool:
        key = (path, character)
        if key not in self._has:
            font = self._at(path, 32)
            glyph, missing = font.getmask(character), font.getmask(_NO_CHARACTER)
            same = glyph.size == missing.size and bytes(glyph) == bytes(missing)
            self._has[key] = character.isspace() or not same
        return self._has[key]
