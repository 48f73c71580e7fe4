"""The commands as programs: what they print, where, and how they end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import cli, house
from gateway.config import load
from routing.model import Model, from_bytes
from tests.city import ROOT, SAMPLES, write_city


def faxless(path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", "--config", str(path), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_city(tmp_path)


def test_check_names_every_part_and_ends_well(city: Path) -> None:
    done = faxless(city, "check", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True), done.stdout
    assert any("paddle" in check["detail"] for check in told["checks"])
    (calls,) = [check for check in told["checks"] if "alerts" in check["what"]]
    assert calls["ok"]
    assert "知らせる先がありません" in calls["detail"]  # a warning: the city names nobody


def test_check_finds_what_would_go_wrong(tmp_path: Path) -> None:
    path = write_city(tmp_path, '[[rule]]\nname = "誤り"\nwhen = { type = "NOTHING" }\ndepartment = "nowhere"\n')
    done = faxless(path, "--json", "check")
    wrong = [check["detail"] for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert done.returncode == 2
    assert any("NOTHING" in detail for detail in wrong)
    assert any("nowhere" in detail for detail in wrong)


def test_check_finds_a_damaged_model_before_the_first_fax_does(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Model:
        return from_bytes(b"no model")

    monkeypatch.setattr(cli, "packaged", damaged)
    wrong = [what for what, fine, _ in cli._findings(load(city)) if not fine]
    assert wrong == ["学習モデル model"]


def test_readyz_tells_of_a_damaged_model(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Model:
        return from_bytes(b"no model")

    monkeypatch.setattr(house, "packaged", damaged)
    with house.open_house(load(city)) as home:
        assert any("the learned model is damaged" in trouble for trouble in home.ready())


def test_check_tells_of_a_kind_that_no_type_has_and_of_a_door_that_lets_nobody_in(tmp_path: Path) -> None:
    path = write_city(tmp_path, '[[department]]\nid = "shokuhin"\nname = "食品"\nkind = "食品衛生かかり"\n')
    path.write_text(path.read_text().replace("[smtp]\n", "[smtp]\nallow = []\n"))
    done = faxless(path, "--json", "check")
    told = {check["what"].split()[-1]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert not told["clients"]["ok"]
    assert "食品衛生かかり" in told["departments"]["detail"]
    assert "kansen" not in told["departments"]["detail"]


@pytest.mark.parametrize("engine", ["paddle", "tesseract"])
def test_an_engine_without_its_data_is_found_by_check_and_not_by_the_first_fax(tmp_path: Path, engine: str) -> None:
    path = write_city(tmp_path)
    path.write_text(path.read_text().replace("[ocr]\n", f'[ocr]\nengine = "{engine}"\n'))
    models = tmp_path / "rapidocr" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    (models / "PP-OCRv6_det_small.onnx").write_bytes(b"something else")
    without = {"TESSDATA_PREFIX": str(models), "PYTHONPATH": str(tmp_path)}  # neither has what it needs there
    done = faxless(path, "check", "--json", **without)
    wrong = [check["detail"] for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert done.returncode == 1
    assert len(wrong) == 1
    assert engine in wrong[0]
    started = faxless(path, "serve", **without)
    assert started.returncode == 1
    assert engine in started.stderr


def test_a_wrong_configuration_ends_with_2_and_all_mistakes(city: Path) -> None:
    city.write_text(city.read_text() + '\n[extra]\nkey = 1\n[web2]\nlisten = "x"\n')
    done = faxless(city, "list")
    assert done.returncode == 2
    assert "extra" in done.stderr
    assert "web2" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "20260101-nothing0"), 1),
        (("route", "20260101-nothing0", "--to", "kansen", "--type", "OTHER"), 1),
        (("requeue", "20260101-nothing0"), 1),
        (("baseline", "import", "nothing.csv"), 1),
        (("traffic", "--by", "colour"), 2),
        (("replay", "nothing.pdf"), 1),
        (("eat",), 2),
        (("send", "x.pdf"), 2),
        (("list", "--limit", "0"), 2),
        (("list", "--limit", "9" * 20), 2),
        (("list", "--since", "0001-01-01"), 2),
        (("list", "--state", "eaten"), 2),
        (("list", "--department", "nowhere"), 2),
        (("traffic", "--from", "2026-13"), 2),
        ((), 2),
    ],
)  # fmt: skip
def test_what_is_not_there_ends_with_a_sentence(city: Path, words: tuple[str, ...], code: int) -> None:
    done = faxless(city, *words)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_people_are_added_listed_and_disabled(city: Path) -> None:
    made = json.loads(faxless(city, "--json", "user", "add", "tanaka", "--department", "kansen").stdout)
    assert (made["role"], made["departments"]) == ("clerk", ["kansen"])
    assert len(made["password"]) >= 12
    assert faxless(city, "user", "add", "tanaka").returncode == 1
    token = json.loads(faxless(city, "--json", "user", "add", "tanaka", "--token").stdout)["token"]
    assert len(token) >= 32
    again = json.loads(faxless(city, "--json", "user", "password", "tanaka").stdout)
    assert again["password"] != made["password"]
    assert faxless(city, "user", "password", "nobody").returncode == 1
    assert faxless(city, "user", "add", "tanaka", "--token", "--department", "kansen").returncode == 1
    assert faxless(city, "user", "add", "two words").returncode == 1
    assert faxless(city, "user", "disable", "tanaka").returncode == 0
    (person,) = json.loads(faxless(city, "user", "list", "--json").stdout)
    assert (person["name"], person["disabled"]) == ("tanaka", True)
    assert "password" not in person
    assert faxless(city, "user", "enable", "tanaka").returncode == 0
    (person,) = json.loads(faxless(city, "user", "list", "--json").stdout)
    assert person["disabled"] is False


def test_the_base_year_and_the_register_are_counted(city: Path, tmp_path: Path) -> None:
    (tmp_path / "base.csv").write_text(
        "month,bureau,department,direction,count\n2019-11,保健医療局,kansen,received,1000\n2019-11,保健医療局,kansen,sent,500\n"
    )
    (tmp_path / "register.csv").write_text(
        "date,bureau,department,machine,direction,counterpart,number,purpose,pages,reason\n"
        "2026-11-02,保健医療局,kansen,MFP-3F,sent,架空病院,03-5555-0100,照会,2,\n"
    )
    assert faxless(city, "baseline", "import", str(tmp_path / "base.csv")).returncode == 0
    for new in (1, 0):
        done = faxless(city, "--json", "register", "import", str(tmp_path / "register.csv"))
        assert json.loads(done.stdout) == {"rows": 1, "new": new}
    done = faxless(city, "--json", "traffic", "--from", "2026-11", "--to", "2026-11", "--by", "department")
    (month,) = json.loads(done.stdout)["months"]
    assert (month["base_month"], month["target"]) == ("2019-11", 0.98)
    assert month["arrivals"] == {"count": 0, "base": 1000, "reduction": 1.0}
    assert month["paper"] == {"count": 1, "base": 1500, "reduction": 0.999333}
    assert month["by"]["department"]["kansen"]["paper"]["count"] == 1


def test_a_bad_table_names_every_bad_line_and_takes_none(city: Path, tmp_path: Path) -> None:
    (tmp_path / "base.csv").write_text(
        "month,bureau,department,direction,count\n2019-11,局,,received,10\n2019-13,局,,received,1\n2019-12,局,,up,-1\n"
    )
    done = faxless(city, "baseline", "import", str(tmp_path / "base.csv"))
    assert done.returncode == 1
    assert "3行目" in done.stderr
    assert "4行目" in done.stderr
    told = json.loads(faxless(city, "--json", "traffic", "--from", "2026-11").stdout)
    assert told["months"][0]["arrivals"]["base"] is None


def test_sending_to_a_door_that_is_shut_fails_with_a_sentence(city: Path) -> None:
    done = faxless(city, "send", str(SAMPLES / "01_mashin.pdf"), "--to", "hoken@fax.example.jp")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("key", "role"), [("smtp", "smtp"), ("web", "web")])
def test_serving_on_a_port_that_is_taken_ends_with_a_sentence(city: Path, key: str, role: str) -> None:
    host, _, port = getattr(load(city), key).listen.rpartition(":")
    with socket.create_server((host, int(port))):
        done = faxless(city, "serve", "--roles", role)
    assert done.returncode == 1
    assert f"{key}.listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    path = write_city(tmp_path, database="postgresql://faxless@127.0.0.1:1/fax")
    for words in (("list",), ("check",)):
        done = faxless(path, *words)
        assert done.returncode == 1
        assert "データベース" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        assert "sqlalche" not in done.stderr + done.stdout


def test_what_is_kept_is_for_nobody_else_on_the_machine(city: Path) -> None:
    assert faxless(city, "list").returncode == 0
    kept = list((city.parent / "var").rglob("*"))
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in [city.parent / "var", *kept])
