"""How well a folder of faxes with their truth is known here: every fax is opened, read and decided, nothing is written.

A fax is a PDF, TIFF or mail; its truth a JSON file of the same name beside it or in a folder ``truth``, with at least
``document_type`` (a code of the taxonomy), and where they are known ``department`` and ``line``. A list of such truths
(``samples.json`` with ``samples``, each naming its ``file``) is understood too and comes first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.progress import Watch
from gateway.rehearsal import Stage, rehearse
from routing.decide import department_for
from routing.department import Organisation
from routing.measure import Figures, Outcome, Point, measure
from routing.taxonomy import Taxonomy

KINDS = (".pdf", ".tif", ".tiff", ".eml")
_WIDTH, _HEIGHT = 560, 260
"""Of the drawing, in its own units."""
_LEAST_RISK = 0.02


@dataclass(frozen=True, slots=True)
class Truth:
    """A fax and what is true of it."""

    file: Path
    document_type: str
    department: str | None
    """None: the one that serves the class."""
    line: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it."""

    figures: Figures
    outcomes: tuple[Outcome, ...]
    without_truth: int
    """Faxes that no truth names, or whose truth names no class."""
    hold_below: float

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` tells it."""
        mistakes = [o.name for o in self.outcomes if not o.held and not o.at_home]
        missed = [o.name for o in self.outcomes if o.urgent and not o.told_urgent]
        return {
            **self.figures.as_json(),
            "without_truth": self.without_truth,
            "hold_below": self.hold_below,
            "wrong_department": mistakes,
            "urgent_missed": missed,
        }


def evaluate(config: Config, folder: Path, watch: Watch) -> Evaluation:
    """Play every fax of a folder that has a truth. Raises GatewayError when there is none."""
    truths, without = find(folder)
    if not truths:
        raise GatewayError(
            f"{folder}: 正解(document_type のある JSON)と組になるFAXがありません (no fax with a truth file)"
        )
    with rehearse(config, readers=config.ocr.workers) as stage:
        taxonomy = stage.desk.taxonomy
        strange = sorted({truth.document_type for truth in truths if taxonomy.get(truth.document_type) is None})
        if strange:
            raise GatewayError(f"正解の種別 {', '.join(strange)} が分類表にありません (no such document type)")
        hands = stage.pipeline.readers.workers
        with watch(len(truths), "fax") as bar, ThreadPoolExecutor(hands) as pool:
            outcomes = []
            for outcome in pool.map(lambda truth: _played(stage, truth, config.organisation), truths):
                outcomes.append(outcome)
                bar.update(1)
    return Evaluation(measure(outcomes), tuple(outcomes), without, config.organisation.hold_below)


def find(folder: Path) -> tuple[list[Truth], int]:
    """The faxes of a folder with their truths, by name; and how many have none."""
    told = _truths(folder)
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS)
    found: list[Truth] = []
    for file in files:
        truth = told.get(file.name, told.get(file.stem, {}))
        if isinstance(code := truth.get("document_type"), str):
            department = truth.get("department")
            found.append(
                Truth(file, code, department if isinstance(department, str) else None, str(truth.get("line") or ""))
            )
    return found, len(files) - len(found)


def _truths(folder: Path) -> dict[str, dict[str, Any]]:
    """By the fax's file name or, from a file of its own, by its stem."""
    told: dict[str, dict[str, Any]] = {}
    for place in (*sorted((folder / "truth").glob("*.json")), *sorted(folder.glob("*.json"))):
        try:
            truth = json.loads(place.read_text("utf-8"))
        except ValueError as error:
            raise GatewayError(f"{place}: JSON として読めません (not JSON)") from error
        listed = truth.get("samples") if isinstance(truth, dict) else None
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("file"), str):
                told[entry["file"]] = entry
        if isinstance(truth, dict) and "document_type" in truth:
            told.setdefault(place.stem, truth)
    return told


def _played(stage: Stage, truth: Truth, organisation: Organisation) -> Outcome:
    line = truth.line if organisation.line(truth.line) is not None else stage.line
    fax = stage.play(truth.file, line=line)
    taxonomy = stage.desk.taxonomy
    kind = taxonomy.get(truth.document_type)
    return Outcome(
        name=truth.file.name,
        document_type=truth.document_type,
        department=truth.department or home(truth.document_type, line, organisation, taxonomy),
        urgent=kind is not None and kind.critical,
        told_type=fax["document_type"],
        told_department=fax["department"],
        told_urgent=fax["urgent"],
        held=fax["state"] != "routed",
        confidence=fax["confidence"] or 0.0,
    )


def home(document_type: str, line: str, organisation: Organisation, taxonomy: Taxonomy) -> str | None:
    """Whose a fax of this class is: the department that serves it, else its line's."""
    kind = taxonomy.get(document_type)
    served = department_for(organisation, kind) if kind is not None else None
    own = organisation.line(line)
    return served.id if served is not None else own.department if own is not None else None


# ---- as text --------------------------------------------------------------------------------------


def text(told: dict[str, Any]) -> str:
    """The figures for a terminal."""
    lines = [
        f"FAX {told['faxes']}件(正解のないもの {told['without_truth']}件)",
        f"種別の正解率 class right         {_percent(told['known'])}",
        f"自動で振り分け routed            {_percent(told['routed'])}   基準 {told['hold_below']:.0%}",
        f"うち部署が正しい routed right    {_percent(told['routed_right'])}",
        f"緊急の検出 urgent recall         {_percent(told['urgent_recall'])}",
        f"確からしさのずれ calibration     {_percent(told['calibration_error'])}",
        "",
        f"{'種別 class':<22}{'件数':>5}{'適合':>9}{'再現':>9}{'保留':>9}{'緊急':>9}",
    ]
    lines += [
        f"{row['document_type']:<24}{row['faxes']:>5}"
        + "".join(f"{_percent(row[name]):>11}" for name in ("precision", "recall", "held", "urgent_recall"))
        for row in told["classes"]
    ]
    if told["confusion"]:
        lines += ["", "取り違え confusion"]
        lines += [f"  {true} → {taken}  {count}" for true, taken, count in told["confusion"]]
    lines += ["", "保留の基準・自動の割合・誤りの割合 threshold, coverage, risk"]
    lines += [f"  {p['threshold']:.3f}  {p['coverage']:7.1%}  {p['risk']:7.2%}" for p in told["curve"]]
    lines += ["", "確からしさと正解率 confidence, right, faxes"]
    lines += [f"  {b['confidence']:.2f}  {b['right']:.2f}  {b['faxes']}" for b in told["calibration"]]
    for name, title in (
        ("wrong_department", "誤った部署へ wrong department"),
        ("urgent_missed", "緊急の見落とし missed"),
    ):
        lines += ["", title, *(f"  {file}" for file in told[name])] if told[name] else []
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


# ---- as a page ------------------------------------------------------------------------------------


def page(evaluation: Evaluation, title: str) -> str:
    """The same as one HTML file with its curves drawn; needs nothing else, runs no script."""
    rooms = Environment(
        loader=PackageLoader("gateway.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    figures = evaluation.figures
    most = max([_LEAST_RISK, *(point.risk for point in figures.curve)])
    return rooms.get_template("evaluation.html").render(
        title=title,
        told=evaluation.as_json(),
        percent=_percent,
        width=_WIDTH,
        height=_HEIGHT,
        most=most,
        curve=_points([(p.coverage, p.risk / most) for p in _from_nothing(figures.curve)]),
        bins=[(b.confidence * _WIDTH, (1 - b.right) * _HEIGHT) for b in figures.calibration],
    )


def _from_nothing(curve: Sequence[Point]) -> Iterator[Point]:
    yield Point(1.0, 0.0, 0.0)
    yield from curve


def _points(places: Sequence[tuple[float, float]]) -> str:
    """Shares of width and height as an SVG polyline's points; up is more."""
    return " ".join(f"{x * _WIDTH:.1f},{(1 - y) * _HEIGHT:.1f}" for x, y in places)
