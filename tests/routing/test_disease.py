"""Names of diseases: from the list, as near as can be said, or not at all."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import disease

DISEASES = disease.load().on(date(2026, 11, 23))
EVERY_CASE = [d for d in DISEASES.rows if d.every_case and not d.name.startswith("(")]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("麻しん", "麻しん"),
        ("麻 疹", "麻しん"),
        ("はしか", "麻しん"),
        ("麻レん", "麻しん"),
        ("ﾚｼﾞｵﾈﾗ症", "レジオネラ症"),
        ("レジオネラ肺炎", "レジオネラ症"),
        ("肺結核", "結核"),
        ("潜在性結核感染症", "結核"),
        ("腸管出血牲大腸菌惑染症", "腸管出血性大腸菌感染症"),
        ("EHEC", "腸管出血性大腸菌感染症"),
        ("腸管出血性大腸菌(O157 VT2)", "腸管出血性大腸菌感染症"),
        ("サル痘", "エムポックス"),
        ("Ｅ型肝炎", "E型肝炎"),
        ("パラチフス", "パラチフス"),
        ("アメーバ赤痢", "アメーバ赤痢"),
        ("アメーハ赤痢", "アメーバ赤痢"),
        ("インフルエンザA型", "インフルエンザ(鳥インフルエンザ及び新型インフルエンザ等感染症を除く)"),
        ("感染性胃腸炎(ノロウイルス疑い)", "感染性胃腸炎"),
        ("感染性胃腸炎(ロタウィルス)", "感染性胃腸炎(ロタウイルス)"),
        ("先天性風しん症候群", "先天性風しん症候群"),
        ("水痘", "水痘(入院例に限る)"),
        ("カルバペネム耐性腸内細菌科細菌感染症", "カルバペネム耐性腸内細菌目細菌感染症"),
        ("侵襲性インフルエンザ菌感染症", "侵襲性インフルエンザ菌感染症"),
    ],
)
def test_nearest(written: str, name: str) -> None:
    met = DISEASES.nearest(written)
    assert met is not None
    assert met.disease.name == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "・|・",
        "?しん",
        "しん",
        "腰痛",
        "非結核性抗酸菌症",
        "麻しん、風しん",
        "increase of cases",
        "患者(確定例)",
        "疑似症患者",
        "高血圧症",
    ],
)
def test_never_a_guess(written: str) -> None:
    assert DISEASES.nearest(written) is None


def test_a_name_inside_a_longer_one_does_not_count() -> None:
    text = "先天性風しん症候群とパラチフス、非結核性抗酸菌症。MERSはMERSAではない。"
    assert [m.disease.name for m in DISEASES.mentioned(text)] == [
        "先天性風しん症候群",
        "パラチフス",
        "中東呼吸器症候群",
    ]


@pytest.mark.parametrize("row", EVERY_CASE, ids=lambda row: row.id)
def test_every_name_and_alias_is_known(row: disease.Disease) -> None:
    for name in (row.name, *row.aliases):
        met = DISEASES.nearest(name)
        assert met is not None, name
        assert met.disease.id == row.id, name


@given(st.sampled_from([d for d in EVERY_CASE if len(d.name) >= 8 and "(" not in d.name]), st.data())
def test_one_misread_sign_never_makes_another_disease(row: disease.Disease, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(row.name) - 1))
    sign = data.draw(st.sampled_from("牛口日目田□一丨Ⅰ"))
    met = DISEASES.nearest(row.name[:at] + sign + row.name[at + 1 :])
    assert met is None or met.disease.id == row.id


@given(st.text(max_size=200))
def test_any_value_is_answered(text: str) -> None:
    met = DISEASES.nearest(text)
    assert met is None or (met.disease in DISEASES.rows and 0 < met.score <= 1)
