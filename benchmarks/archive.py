"""The peer of the reading: OCRmyPDF, which the usual archive tools run, with Tesseract's Japanese data.

It gets every advantage that its users have: all pages in one file, so that it starts once, and its fastest kind of PDF.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from ocr import engine as engines
from ocr.errors import EngineMissing

WORDS = ("-l", "jpn", "--deskew", "--rotate-pages", "--output-type", "pdf")
"""As paperless-ngx has them by default, but for the cleaning (a program more) and PDF/A (Ghostscript, slower)."""
PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Archived:
    """What it made of the pages."""

    texts: tuple[str, ...]
    """Page by page."""
    seconds: float
    cpu: float
    """Seconds of CPU of all its processes."""


def name() -> str:
    """What it is called in the table."""
    return f"OCRmyPDF {importlib.metadata.version('ocrmypdf')} -l jpn"


def why_not() -> str:
    """Why it cannot be run here as the peer; empty when it can."""
    if importlib.util.find_spec("ocrmypdf") is None:
        return "no peer: OCRmyPDF is not installed (make setup-dev)"
    try:
        engines.probe("tesseract")
    except EngineMissing as missing:
        return f"no peer: {missing}"
    return ""


def archive(pages: Sequence[tuple[Path, int]], jobs: int) -> Archived:
    """Make one searchable PDF of all *pages* (file, number from 1) with so many jobs.

    Raises `subprocess.CalledProcessError` when it fails.
    """
    with tempfile.TemporaryDirectory(prefix="faxless-archive-") as folder:
        source, made, said = (Path(folder) / file for file in ("pages.pdf", "searchable.pdf", "said.txt"))
        writer = PdfWriter()
        for file, number in pages:
            writer.add_page(PdfReader(file).pages[number - 1])
        writer.write(source)
        command = [sys.executable, "-m", "ocrmypdf", "--quiet", "--jobs", str(jobs), *WORDS, "--sidecar"]
        begun, before = time.perf_counter(), _cpu()
        subprocess.run(
            [*command, str(said), str(source), str(made)],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # jobs and not threads: faster, and as its manual advises
        )
        took, spent = time.perf_counter() - begun, _cpu() - before
        texts = said.read_text("utf-8").split("\f")[: len(pages)]
        assert PdfReader(made).get_num_pages() == len(pages) == len(texts)
    return Archived(tuple(texts), took, spent)


def _cpu() -> float:
    """Of children that have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
