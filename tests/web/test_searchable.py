"""The searchable PDF at a page and at the API: made from the mail in a process of its own, for those who may see it."""

from __future__ import annotations

import io
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

import pypdf
import pypdfium2 as pdfium
import pytest
from PIL import Image

from gateway.desk import pages_read
from gateway.models import Fax
from tests.web.conftest import TEXT, drawn

if TYPE_CHECKING:
    from tests.web.conftest import Office


def fax_mail(*documents: tuple[bytes, str]) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "mfp@fax.example.jp", "hoken@fax.example.jp", "FAX"
    mail.set_content("FAX")
    for number, (data, kind) in enumerate(documents):
        main, sub = kind.split("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=f"{number}.{sub}")
    return mail.as_bytes(policy=SMTP)


def tiff(*texts: str) -> bytes:
    pages = [Image.open(io.BytesIO(drawn(text)[0])) for text in texts]
    file = io.BytesIO()
    pages[0].save(
        file, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(102, 98), tiffinfo={278: 1216}
    )
    return file.getvalue()


def locked() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(600, 800)
    writer.encrypt("geheim", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def texts(data: bytes) -> list[str]:
    with pdfium.PdfDocument(data) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n").rstrip("\n") for page in document]


@pytest.fixture
def fax(office: Office) -> Fax:
    """Two documents, two pages and one."""
    return office.fax(
        (TEXT, "二枚目 FAX 03-5555-0199", "三枚目"),
        raw=fax_mail((tiff(TEXT, "二枚目 FAX 03-5555-0199"), "image/tiff"), (tiff("三枚目"), "image/tiff")),
    )


def test_all_pages_of_all_documents_with_their_text(office: Office, fax: Fax) -> None:
    client = office.client()
    answer = client.get(f"/api/v1/faxes/{fax.id}/searchable.pdf", headers=office.token("sato"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{fax.id}.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert texts(answer.content) == [TEXT, "二枚目 FAX 03-5555-0199", "三枚目"]
    (last, *_) = [event for event in office.store.events(fax.id) if event.action == "downloaded"]
    assert last.who == "sato"
    again = office.client("sato").get(f"/faxes/{fax.id}/searchable.pdf")
    assert again.content == answer.content


def test_the_page_offers_it_when_it_can_be_made(office: Office, fax: Fax) -> None:
    client = office.client("sato", departments=("*",))
    link = f'href="/faxes/{fax.id}/searchable.pdf">検索できるPDF'
    assert link in client.get(f"/faxes/{fax.id}").text
    coming = office.mail()
    assert "検索できるPDF" not in client.get(f"/faxes/{coming.id}").text
    answer = client.get(f"/api/v1/faxes/{coming.id}/searchable.pdf")
    assert answer.status_code == 409
    assert "読み取り中" in answer.json()["detail"]


def test_a_fax_of_another_department_has_none(office: Office, fax: Fax) -> None:
    client = office.client("kato", departments=("kekkaku",))
    assert client.get(f"/api/v1/faxes/{fax.id}/searchable.pdf").status_code == 404
    assert office.client().get(f"/api/v1/faxes/{fax.id}/searchable.pdf").status_code == 401
    assert not [event for event in office.store.events(fax.id) if event.action == "downloaded"]


def test_a_notice_holds_no_fax(office: Office) -> None:
    fax = office.fax((), kind="notice", raw=b"Subject: toner\r\n\r\nlow\r\n")
    answer = office.client("sato").get(f"/api/v1/faxes/{fax.id}/searchable.pdf")
    assert answer.status_code == 404
    assert "原本" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("document", "word"), [(locked(), "パスワード"), (b"%PDF-1.4 nothing", "壊れ")], ids=["locked", "broken"]
)
def test_what_cannot_be_opened_is_told(office: Office, document: bytes, word: str) -> None:
    fax = office.fax((), raw=fax_mail((document, "application/pdf")))
    client = office.client("sato")
    answer = client.get(f"/api/v1/faxes/{fax.id}/searchable.pdf")
    assert answer.status_code == 409
    assert word in answer.json()["detail"]
    page = client.get(f"/faxes/{fax.id}/searchable.pdf")
    assert page.status_code == 409
    assert word in page.text


def test_a_locked_document_does_not_hide_the_other(office: Office) -> None:
    fax = office.fax((TEXT,), raw=fax_mail((locked(), "application/pdf"), (tiff(TEXT), "image/tiff")))
    answer = office.client("sato").get(f"/api/v1/faxes/{fax.id}/searchable.pdf")
    assert texts(answer.content) == [TEXT]


def test_a_page_that_could_not_be_read_is_there_without_text(office: Office) -> None:
    fax = office.fax((TEXT,), raw=fax_mail((tiff(TEXT), "image/tiff")), problem="読めません。")
    assert not pages_read(office.store, fax.id)
    answer = office.client("sato").get(f"/api/v1/faxes/{fax.id}/searchable.pdf")
    assert texts(answer.content) == [""]


def test_when_the_gateway_stops_the_person_is_told_to_come_again(office: Office, fax: Fax) -> None:
    office.app.state.binder.close()
    answer = office.client("sato").get(f"/api/v1/faxes/{fax.id}/searchable.pdf")
    assert answer.status_code == 503
