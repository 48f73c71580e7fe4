"""The words of the pages that carry a meaning of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.models import now
from gateway.web.words import Words
from routing import taxonomy
from routing.department import Organisation


@pytest.fixture
def words() -> Words:
    return Words("ja", Organisation(), taxonomy.load())


def test_what_is_due_at_once_tells_how_long_it_has_been_lying(words: Words) -> None:
    came = now() - timedelta(minutes=12, seconds=5)
    assert words.due(came, came) == "直ちに(受信から12分)"
    assert not words.late(came, came)
    long_ago = now() - timedelta(hours=5, minutes=1)
    assert words.due(long_ago, long_ago) == "直ちに(受信から5時間)"


def test_a_set_time_is_late_when_it_is_over(words: Words) -> None:
    came = now() - timedelta(days=8)
    assert words.late(now() - timedelta(minutes=1), came)
    assert not words.late(now() + timedelta(minutes=1), came)
    assert words.due(now() + timedelta(minutes=1), came)[-5:-3].isdigit()
