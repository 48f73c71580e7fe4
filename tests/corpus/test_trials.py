"""What the reading is measured on, and the table that says whether confidence means something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import reading, score
from benchmarks.faxgen import __main__ as command
from benchmarks.faxgen.catalogue import LAYOUTS, make, trials
from benchmarks.faxgen.fonts import FontBook
from benchmarks.faxgen.trials import BUCKETS, TRIALS, UNKNOWN
from gateway.reader import MailToRead
from ocr.page import PageText, Word


def test_trials_are_so_many_for_every_condition_and_the_same_for_a_seed() -> None:
    made = trials(2, 5)
    assert [fax.bucket for fax in made] == [name for name in BUCKETS for _ in range(2)]
    assert {fax.layout for fax in made} >= {f"trial_{name}" for name in ("names", "kana", "small", "unknown")}
    assert made == trials(2, 5) != trials(2, 6)
    assert not TRIALS.keys() & LAYOUTS.keys(), "trial sheets are no class of document"


@pytest.mark.parametrize("name", TRIALS)
def test_each_trial_sheet_says_what_is_on_it(name: str) -> None:
    fax = next(fax for fax in trials(8, 3, (BUCKET_OF[name],)) if fax.layout == name)
    truth = make(fax, FontBook()).truth
    said = "".join(segment["text"] for segment in truth["segments"])
    assert WRITTEN[name] & set(said)
    assert truth["bucket"] == BUCKET_OF[name]


BUCKET_OF = {name: name.removeprefix("trial_") for name in TRIALS}
WRITTEN = {
    "trial_names": set("髙﨑齋邊廣栁德"),
    "trial_unknown": set(UNKNOWN),
    "trial_kana": set("ｱｲｳﾋﾞﾎﾜ"),
    "trial_circled": set("①②③④⑤⑥⑦⑧⑨⑩"),
    "trial_small": set("こる"),
    "trial_mixed": set("IgM"),
    "trial_vertical": set("拝"),
}


def test_command_makes_the_conditions_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["trials", str(tmp_path), "--each", "1", "--buckets", "kana,standard faint skew"]) == 0
    truths = [json.loads(path.read_text("utf-8")) for path in sorted(tmp_path.glob("*.json"))]
    assert [truth["bucket"] for truth in truths] == ["kana", "standard faint skew"]
    assert [truth["degrade"] for truth in truths] == ["clean", "faint+skew"]
    assert command.main(["trials", str(tmp_path), "--buckets", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_reliability_counts_words_by_what_was_said_of_them() -> None:
    truth = {"segments": [{"text": "診断名 麻しん", "page": 1}, {"text": "電話　03-5555-0101", "page": 2}]}
    found = score.Reliability()
    words = [
        ("診断名", 0.99),
        ("麻しん", 0.96),
        ("□ 麻しん", 0.99),
        ("麻レん", 0.96),
        ("03‐5555‐0101", 0.4),
        ("一", 0.99),
    ]
    found.add(truth, words, 1)
    assert [(row["from"], row["words"], row["right"]) for row in found.rows()] == [
        (0.3, 1, 0.0),  # stands on another page
        (0.95, 2, 0.5),
        (0.98, 2, 1.0),  # the mark is no letter; a single letter is not counted
    ]
    assert found.gap == pytest.approx((0.4 + abs(1.92 - 1) + abs(1.98 - 2)) / 5)
    assert "| 0.95 | 2 | 96.0% | 50.0% |" in found.table()


def test_scorer_reads_now_and_tells_how_honest_the_engine_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main(["trials", str(tmp_path), "--each", "1", "--seed", "4", "--buckets", "mixed"])
    capsys.readouterr()
    assert score.main([str(tmp_path), "--engine", "paddle", "--by", "bucket", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mixed"]["cer_print"] < 0.05
    assert sum(row["words"] for row in told["reliability"]) > 10
    with pytest.raises(SystemExit):
        score.main([str(tmp_path)])


def test_benchmark_of_reading_tells_each_step_of_confidence_and_holds_the_gap_against_its_aim() -> None:
    truth = {"segments": [{"text": "診断名 麻しん", "page": 1}]}
    words = [("診断名", 0.95), ("麻レん", 0.97), ("麻しん", 0.99)]
    page = PageText(
        1, 100, 100, tuple(Word(text, (0, 0, 9, 9), sure) for text, sure in words), "", 1.0, 0, 0.0, (), (), ""
    )
    run = reading.Run(1, 1.0, 1.0, 0, {(0, 1): ""}, {(0, 1): page})
    *steps, gap = reading._honesty([reading.Fax(MailToRead("0" * 64), 1, truth, Path("fax.pdf"))], "clean", run)
    assert [(figure.what, figure.value) for figure in steps] == [
        ("words right, clean, said 0.95 or more", 50.0),
        ("words right, clean, said 0.98 or more", 100.0),
    ]
    assert gap.value == pytest.approx(100 * (0.92 + 0.01) / 3)
    assert gap.met is False
