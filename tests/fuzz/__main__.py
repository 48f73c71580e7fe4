"""Fuzzing at length: ``make fuzz MINUTES=10``. Coverage of the Python rooms leads it (atheris, libFuzzer).

A finding is any exception that :mod:`tests.fuzz.oracle` does not name, any input that takes longer than SECONDS, and
any that needs more memory than MEGABYTES. Its bytes are kept under ``var/fuzz/findings``; to see one again:
``.venv/bin/python -m tests.fuzz --replay FILE``. Whatever was found once becomes a test in ``tests/fuzz/test_fuzz.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 60
"""For one input of some kilobytes. The slowest honest one takes a fifth of a second."""
MEGABYTES = 1500
ROOMS = ("gateway", "ocr", "email", "zipfile", "quopri", "pypdf", "PIL.TiffImagePlugin", "PIL.PngImagePlugin")
TARGETS = ("message", "document")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    words = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    words.add_argument("--minutes", type=float, default=10)
    words.add_argument("--target", choices=TARGETS)
    words.add_argument("--replay", type=Path)
    words.add_argument("--findings", type=Path, default=ROOT / "var" / "fuzz")
    words.add_argument("--work", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    told = words.parse_args()
    if told.work is not None:
        return work(told.target, told.work)
    if told.replay is not None:
        return replay(told.target, told.replay)
    targets = (told.target,) if told.target else TARGETS
    found = [finding for target in targets for finding in fuzz(target, told.minutes * 60 / len(targets), told.findings)]
    for finding in found:
        print(f"finding: {finding}\n  .venv/bin/python -m tests.fuzz --replay {finding}")
    print(f"{len(found)} findings")
    return 1 if found else 0


def fuzz(target: str, seconds: float, folder: Path) -> list[Path]:
    """Run children until the time is over; a finding ends a child, and the next one goes on."""
    corpus, findings = folder / "corpus" / target, folder / "findings"
    for made in (corpus, findings):
        made.mkdir(parents=True, exist_ok=True)
    plant(target, corpus)
    before = set(findings.iterdir())
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 1:
        flags = (
            f"-max_total_time={left:.0f}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEGABYTES}",
            f"-artifact_prefix={findings}/{target}-",
            "-max_len=65536",
            "-report_slow_units=10",
            "-print_final_stats=1",
        )
        command = [sys.executable, "-m", "tests.fuzz", "--target", target, "--work", *flags, str(corpus)]
        print(f"{target}: {left:.0f} s left, {len(list(corpus.iterdir()))} inputs", flush=True)
        with (folder / f"{target}.log").open("a") as log:
            subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False)
    return sorted(set(findings.iterdir()) - before)


def plant(target: str, corpus: Path) -> None:
    from tests.fuzz.oracle import seeds

    for raw in seeds(target):
        (corpus / hashlib.sha256(raw).hexdigest()[:16]).write_bytes(raw)


def work(target: str, flags: list[str]) -> int:
    """A child: what is imported here is watched for coverage."""
    import atheris

    with atheris.instrument_imports(include=list(ROOMS), enable_loader_override=False):
        from tests.fuzz import oracle

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < 0.4:
            return bytes(atheris.Mutate(data, most))
        return oracle.mutated(target, data, dice)[:most]

    atheris.Setup(["faxless", *flags], oracle.CHECKS[target], custom_mutator=mutator)
    atheris.Fuzz()
    return 0


def replay(target: str | None, file: Path) -> int:
    """Once more what was found; the name of a finding tells its target."""
    from tests.fuzz import oracle

    begun = time.monotonic()
    oracle.CHECKS[target or file.name.partition("-")[0]](file.read_bytes())
    print(f"nothing found in {time.monotonic() - begun:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
