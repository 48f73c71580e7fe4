"""The log is written to standard error as it is now, not as it was when the log was set up."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from gateway import log


@pytest.fixture
def untouched() -> Iterator[None]:
    """The set-up of the log as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("untouched")
def test_a_logger_that_was_kept_writes_where_standard_error_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    log.to_stderr(verbose=False)
    kept = structlog.get_logger("door")
    kept.error("one")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    kept.error("two", fax="f1")
    told = json.loads(second.getvalue())
    assert (told["message"], told["fax"], told["level"]) == ("two", "f1", "error")


@pytest.mark.usefixtures("untouched")
def test_what_a_library_logs_is_a_line_like_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])  # as in a process of its own
    monkeypatch.setattr(root, "level", root.level)
    log.to_stderr(verbose=False)
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)  # another test may have run a server here
    library = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(library, "level", logging.WARNING)  # as uvicorn sets it
    library.info("nothing")
    library.warning("Invalid %s", "request")
    try:
        {}["x"]
    except KeyError:
        logging.getLogger("another").exception("broke")
    warned, broke = map(json.loads, written.getvalue().splitlines())
    assert (warned["message"], warned["level"], warned["logger"]) == ("Invalid request", "warning", "uvicorn.error")
    assert (broke["level"], "KeyError" in broke["exception"]) == ("error", True)
