"""The command ``python -m benchmarks.faxgen``: see the package's docstring."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from benchmarks.faxgen import fonts, samples
from benchmarks.faxgen.catalogue import DOCUMENT_TYPES, LAYOUTS, Commission, corpus, make, trials
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.machine import DAMAGES, RESOLUTIONS, Damage, pdf
from benchmarks.faxgen.trials import BUCKETS


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faxgen", description="Japanese faxes with ground truth."
    )
    commands = parser.add_subparsers(required=True)
    fetch = commands.add_parser("fonts", help="fetch the handwriting-style fonts into .fonts/ with npm")
    fetch.set_defaults(run=_fonts)
    again = commands.add_parser("samples", help="make the faxes of samples/ again")
    again.add_argument("--out", type=Path, default=samples.FOLDER)
    again.set_defaults(run=_samples)
    new = commands.add_parser("make", help="make a corpus")
    new.add_argument("out", type=Path)
    new.add_argument("--count", type=int, default=60)
    new.add_argument("--seed", type=int, default=1)
    new.add_argument("--classes", default="", help=f"comma-separated; all: {','.join(DOCUMENT_TYPES)}")
    new.add_argument("--layouts", default="", help="comma-separated layouts instead of classes; 'list' names them")
    new.add_argument("--resolution", choices=tuple(RESOLUTIONS), help="one resolution for all")
    new.add_argument(
        "--damage",
        action="append",
        default=[],
        metavar="KIND[:STRENGTH]",
        help=f"the same damage for all (more than one: together); kinds: {', '.join(sorted(DAMAGES))}",
    )
    new.add_argument("--clean", action="store_true", help="no damage, no enlargement")
    new.add_argument("--format", choices=("tif", "pdf", "both"), default="tif")
    new.add_argument("--workers", type=int, default=1, help="processes")
    new.set_defaults(run=_make)
    trial = commands.add_parser("trials", help="make the faxes that the reading's accuracy is measured on")
    trial.add_argument("out", type=Path)
    trial.add_argument("--each", type=int, default=4, help="faxes for every condition")
    trial.add_argument("--seed", type=int, default=1)
    trial.add_argument("--buckets", default="", help=f"comma-separated; all: {','.join(BUCKETS)}")
    trial.add_argument("--format", choices=("tif", "pdf", "both"), default="tif")
    trial.add_argument("--workers", type=int, default=1, help="processes")
    trial.set_defaults(run=_trials)
    return parser


def _fonts(options: argparse.Namespace) -> int:
    print(f"fonts in {fonts.install()}")
    return 0


def _samples(options: argparse.Namespace) -> int:
    for line in samples.build(options.out):
        print(line)
    return 0


def _make(options: argparse.Namespace) -> int:
    if options.layouts == "list":
        print("\n".join(f"{layout.name}\t{layout.document_type}" for layout in LAYOUTS.values()))
        return 0
    wanted = tuple(name for name in options.classes.split(",") if name)
    strange = [*(set(wanted) - set(DOCUMENT_TYPES)), *(set(options.layouts.split(",")) - {*LAYOUTS, ""})]
    if strange:
        print(f"no such class or layout: {', '.join(sorted(strange))}", file=sys.stderr)
        return 2
    return _written(options, _commissions(options, wanted))


def _trials(options: argparse.Namespace) -> int:
    wanted = tuple(name for name in options.buckets.split(",") if name)
    strange = sorted(set(wanted) - set(BUCKETS))
    if strange:
        print(f"no such condition: {', '.join(strange)}", file=sys.stderr)
        return 2
    return _written(options, trials(options.each, options.seed, wanted))


def _written(options: argparse.Namespace, commissions: list[Commission]) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    jobs = [(f"{number:05d}_{c.layout}", c, options.out, options.format) for number, c in enumerate(commissions)]
    if options.workers > 1:
        with ProcessPoolExecutor(options.workers) as pool:
            sizes = list(tqdm(pool.map(_one, jobs), total=len(jobs), unit="fax"))
    else:
        book = FontBook()
        sizes = [_one(job, book) for job in tqdm(jobs, unit="fax")]
    print(f"{len(jobs)} faxes, {sum(sizes)} pages in {options.out}")
    return 0


def _commissions(options: argparse.Namespace, wanted: tuple[str, ...]) -> list[Commission]:
    """The corpus asked for, with what the options fix for every fax."""
    damages = tuple(
        Damage(kind, float(strength or 0.5)) for kind, _, strength in (text.partition(":") for text in options.damage)
    )
    layouts = [name for name in options.layouts.split(",") if name]
    made = corpus(options.count, options.seed, wanted)
    if layouts:
        made = [replace(commission, layout=layouts[number % len(layouts)]) for number, commission in enumerate(made)]
    if options.resolution:
        made = [replace(commission, resolution=options.resolution) for commission in made]
    if options.clean or damages:
        made = [replace(commission, damages=damages) for commission in made]
    return [replace(commission, size="A4") for commission in made] if options.clean else made


def _one(job: tuple[str, Commission, Path, str], book: FontBook | None = None) -> int:
    """Make one fax and write it; returns its pages."""
    name, commission, out, form = job
    fax = make(commission, book or FontBook())
    if form in ("tif", "both"):
        (out / f"{name}.tif").write_bytes(fax.tiff)
    if form in ("pdf", "both"):
        (out / f"{name}.pdf").write_bytes(pdf(fax.tiff))
    (out / f"{name}.json").write_text(json.dumps(fax.truth, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return fax.pages


if __name__ == "__main__":
    sys.exit(main())
