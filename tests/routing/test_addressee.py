"""Whom a fax is addressed to, when that is plainly not us."""

import pytest

from routing.addressee import elsewhere
from routing.facts import PageFacts
from routing.layout import lay_out

OURS = ("みどり区", "みどり保健所", "東都")


def told(text: str, names: tuple[str, ...] = OURS) -> str | None:
    found = elsewhere(lay_out([PageFacts(1, text)]), names)
    return found and found.name


@pytest.mark.parametrize(
    ("addressed", "name"),
    [
        ("あて先 潮見市 健康推進課 予防接種係 御中", "潮見市"),
        ("港南区役所 戸籍係 御中", "港南区"),
        ("西原市長 殿", "西原市"),
        ("北辰県知事 様", "北辰県"),
        ("三沢町役場 福祉課 御中", "三沢町"),
        ("宛先: 東浜市保健所 御中", "東浜市"),
        ("千鳥府知事 殿", "千鳥府"),
    ],
)
def test_another_municipality_is_seen(addressed: str, name: str) -> None:
    assert told(f"{addressed}\n送付のご案内\n資料をお送りします") == name


@pytest.mark.parametrize(
    "addressed",
    [
        "みどり区長 殿",
        "みどリ区長 殿",
        "みど区役所 用度係 ご担当者様",
        "みどり保健所長 殿",
        "東都知事 殿",
        "東都みどり保健所 感染症対策課 御中",
        "市民課 御中",
        "都市整備課 御中",
        "市町村課 御中",
        "地区センター 御中",
        "道路管理課 ご担当者様",
        "中村 様",
        "中村課長 様",
        "古市健太係長 様",
        "厚生労働大臣 殿",
        "保健所長 殿",
    ],
)
def test_ours_an_office_without_a_town_and_a_person_are_not(addressed: str) -> None:
    assert told(f"{addressed}\n見積書\n下記のとおり") is None


def test_without_names_no_public_body_is_another() -> None:
    assert told("西原市長 殿\n要望書", names=()) is None


def test_a_town_that_is_only_spoken_of_is_no_addressee() -> None:
    assert told("潮見市 健康推進課の資料を見て書いています\n意見書\nみどり区長 殿") is None


def test_a_clinic_is_another_with_where_it_is_behind_its_name() -> None:
    assert told("おおぞら皮膚科クリニック 院長 御侍史 (あおば市)\n検査結果報告書") == "おおぞら皮膚科クリニック"


def test_a_control_room_is_no_honorific() -> None:
    assert told("院内での検出について\n東都みなと病院 感染制御室") is None
