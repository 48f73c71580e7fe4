"""The log is written to standard error as it is now, not as it was when the log was set up."""

from __future__ import annotations

import io
import json
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
