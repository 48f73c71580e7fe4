"""The lists: the packaged ones are whole, a site's own replace them, and every bad row is named at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from routing import disease, taxonomy
from routing.errors import ListError

CODES = {
    "DISEASE_IMMEDIATE", "DISEASE_7DAY", "TB_REPORT", "TB_ADMISSION", "TB_PUBLIC_EXPENSE", "SENTINEL",
    "OUTBREAK_FACILITY", "OUTBREAK_SCHOOL", "ADMISSION_COORD", "SPECIMEN", "FOOD_POISONING", "FOOD_BUSINESS",
    "VET_REPORT", "ADVERSE_EVENT", "MED_SAFETY", "MENTAL_HEALTH", "CHILD_WELFARE", "ACCESSIBLE_CONTACT", "DISASTER",
    "LIFELINE", "PRESS", "COMPLAINT", "PROCUREMENT", "APPLICATION_EVENT", "CONSENT_MEDICAL", "PROGRESS_REPORT",
    "MISDIRECTED", "SPAM", "COVER_ONLY", "OTHER",
}  # fmt: skip
HEADER = "tier,code,name_ja,title_phrases,keywords,urgency,deadline,destination_kind,valid_from,valid_to\n"


def write(directory: Path, text: str, encoding: str = "utf-8", name: str = taxonomy.FILE) -> Path:
    (directory / name).write_text(text, encoding=encoding)
    return directory


def test_the_packaged_taxonomy_has_every_class() -> None:
    types = taxonomy.load()
    assert set(types.codes) == CODES
    assert all(t.name and t.destination_kind for t in types.types)
    critical = {t.code for t in types.types if t.critical}
    assert {"DISEASE_IMMEDIATE", "TB_REPORT", "FOOD_POISONING", "LIFELINE", "CHILD_WELFARE", "DISASTER"} <= critical
    assert "DISEASE_7DAY" not in critical


def test_the_packaged_diseases_have_their_deadlines() -> None:
    diseases = disease.load()
    assert len({d.id for d in diseases.rows}) == 126
    at_once = [d.name for d in diseases.rows if d.category == "五類感染症(全数)" and d.deadline_hours == 0]
    assert at_once == [
        "侵襲性髄膜炎菌感染症",
        "風しん",
        "麻しん",
    ]  # 感染症法施行規則4条: the rest of class 5 within 7 days
    assert {d.document_type for d in diseases.rows} == {"DISEASE_IMMEDIATE", "DISEASE_7DAY", "TB_REPORT", None}


def test_rows_hold_on_their_days_only() -> None:
    diseases = disease.load()
    corona = "新型コロナウイルス感染症"
    assert diseases.on(date(2023, 5, 7)).named(corona) is not None
    assert diseases.on(date(2023, 5, 8)).named(corona) is None
    assert disease.load(day=date(2023, 5, 8)).named(f"{corona}(五類)") is not None


def test_a_site_replaces_one_list_and_keeps_the_other(tmp_path: Path) -> None:
    write(tmp_path, HEADER + "core,OWN,独自の様式,独自様式,語,low,なし,総務課,2026-04-01,2027-03-31\n", "utf-8-sig")
    own = taxonomy.load(tmp_path)
    assert own.codes == ("OWN",)
    assert own.on(date(2026, 3, 31)).types == ()
    assert own.on(date(2026, 4, 1)).codes == own.on(date(2027, 3, 31)).codes == ("OWN",)
    assert own.on(date(2027, 4, 1)).types == ()
    assert disease.load(tmp_path) == disease.load()


def test_the_law_changes_from_a_day_on(tmp_path: Path) -> None:
    rows = "core,A,旧,甲,語,low,なし,総務課,,2026-03-31\ncore,A,新,乙,語,high,なし,総務課,2026-04-01,\n"
    types = taxonomy.load(write(tmp_path, HEADER + rows))
    old, new = types.on(date(2026, 3, 31)).get("A"), types.on(date(2026, 4, 1)).get("A")
    assert old is not None
    assert new is not None
    assert (old.name, new.name) == ("旧", "新")


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    rows = (
        "core,,名,句,語,low,なし,課,,\n"
        "core,B,名,句,語,urgent,なし,課,,\n"
        "core,C,名,句,語,low,なし,課,2026/4/1,\n"
        "core,D,名\n"
        "core,E,名,句,語,low,なし,課,2026-04-01,2026-03-31\n"
        "core,F,名,句,語,low,なし,課,,\n"
        "core,F,名,句,語,low,なし,課,,\n"
    )
    with pytest.raises(ListError) as caught:
        taxonomy.load(write(tmp_path, HEADER + rows))
    lines = [mistake.split("行目")[0] for mistake in caught.value.mistakes]
    assert lines == ["2", "3", "4", "5", "6", "8"]
    assert caught.value.again is False
    assert taxonomy.FILE in str(caught.value)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "列"),
        (b"tier,code\n", "列"),
        (HEADER.encode(), "行が1つもありません"),
        ((HEADER + "core,A,名\n").encode("cp932"), "UTF-8"),
        ((HEADER + 'core,"A').encode(), "CSV"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a" * 5_000_000, "大きすぎます"),
    ],
)
def test_a_file_that_is_no_list(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / taxonomy.FILE).write_bytes(content)
    with pytest.raises(ListError, match=word):
        taxonomy.load(tmp_path)


def test_disease_rows_are_checked(tmp_path: Path) -> None:
    header = "id,category,surveillance,name_ja,aliases,deadline_ja,deadline_hours\n"
    rows = "1,五類,zensu,,,直ちに,0\n2,五類,zensu,ある病,,7日以内,七日\n"
    with pytest.raises(ListError) as caught:
        disease.load(write(tmp_path, header + rows, name=disease.FILE))
    assert len(caught.value.mistakes) == 2
