"""Bombs among good faxes, through a real gateway: SMTP in, every fax settled, the worker alive, nothing altered."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import machine
from tests.city import SAMPLES, Gateway, gateway_at, write_city
from tests.corpus.mail import machines as m
from tests.fuzz import documents, mails

TO = "hoken@fax.example.jp"

BOMBS = {
    "flate bomb": lambda: mails.with_file(
        documents.PDFS["flate bomb in the instructions"](), "application/pdf", "a.pdf"
    ),
    "form that draws itself": lambda: mails.with_file(
        documents.PDFS["form that draws itself"](), "application/pdf", "a.pdf"
    ),
    "TIFF bomb": lambda: mails.with_file(documents.TIFFS["strip of 65535x65535"](), "image/tiff", "a.tif"),
    "header flood": mails.BEYOND["20,000 headers"][0],
    "mails in mails": mails.BEYOND["1,000 mails in mails"][0],
    "zip bomb": mails.CONTAINERS["zip bomb of a GB"][0],
    "locked zip": mails.CONTAINERS["locked zip"][0],
    "winmail.dat": mails.CONTAINERS["winmail.dat"][0],
    "locked PDF": lambda: mails.with_file(m.locked_pdf(), "application/pdf", "a.pdf"),
}
TOLD = {
    "flate bomb": "大きすぎ",
    "form that draws itself": "入れ子",
    "TIFF bomb": "大きすぎ",
    "header flood": "ヘッダーの数",
    "mails in mails": "入れ子",
    "zip bomb": "大きすぎ",
    "locked zip": "パスワード",
    "winmail.dat": "winmail.dat",
    "locked PDF": "パスワード",
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_at(write_city(tmp_path_factory.mktemp("attacked"))) as running:
        yield running


def original(gateway: Gateway, fax_id: str) -> bytes:
    request = urllib.request.Request(
        f"http://{gateway.config.web.listen}/api/v1/faxes/{fax_id}/original",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def test_bombs_are_held_and_the_good_faxes_among_them_are_routed(attacked: Gateway) -> None:
    good = [machine.letter(SAMPLES / name, machine.Call(to=TO)) for name in ("02_baidoku.tif", "08_chumonsho.pdf")]
    sent: list[tuple[str, bytes, str]] = []
    bombs = [(name, make()) for name, make in BOMBS.items()]
    for name, raw in [*bombs[:3], ("good", good[0]), *bombs[3:], ("good", good[1])]:
        sent.append((name, raw, attacked.mail(raw)[0]))
    for name, raw, fax_id in sent:
        fax = attacked.settled(fax_id)
        if name == "good":
            assert fax["state"] == "routed", fax["held_because"]
            assert fax["text"]
        else:
            assert fax["state"] == "held", name
            assert TOLD[name] in " ".join(fax["held_because"]), (name, fax["held_because"])
            assert fax["department"] == "kansen", "the line's: nobody's inbox is a fax lost"
            assert original(attacked, fax_id).rstrip() == raw.rstrip()  # the client ends the last line
    assert attacked.process.poll() is None
    with urllib.request.urlopen(f"http://{attacked.config.web.listen}/readyz", timeout=60) as answer:
        assert answer.status == 200


def test_a_bomb_beside_a_good_page_hides_nothing_of_it(attacked: Gateway, tmp_path: Path) -> None:
    page = (SAMPLES / "02_baidoku.tif").read_bytes()
    raw = m.multipart(
        m.fields("Fax"),
        [
            m.attached(documents.PDFS["flate bomb in the instructions"](), "application/pdf", "bomb.pdf"),
            m.attached(page, "image/tiff", "good.tif"),
        ],
    )
    fax = attacked.settled(attacked.mail(raw)[0])
    assert fax["state"] == "held"
    assert any(reason.startswith("1ページ目") for reason in fax["held_because"])
    assert "梅毒" in fax["text"]


def test_a_zipped_fax_is_read(attacked: Gateway) -> None:
    page = (SAMPLES / "02_baidoku.tif").read_bytes()
    raw = mails.with_file(mails.zipped({"fax.tif": page}), "application/zip", "fax.zip")
    fax = attacked.settled(attacked.mail(raw)[0])
    assert (fax["pages"], "梅毒" in fax["text"]) == (1, True)
