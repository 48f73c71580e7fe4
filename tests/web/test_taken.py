"""A document for another department at the pages: told as what it is, and the way to the rest is shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.database import transaction

if TYPE_CHECKING:
    from tests.web.conftest import Office


def test_the_page_says_what_it_is_and_hides_the_rest(office: Office) -> None:
    whole = office.fax(("感染症発生届\n架空 花子", "注文書"), document_type="DISEASE_IMMEDIATE")
    entry = office.fax("注文書", department="bunsho", document_type="PROCUREMENT")
    with transaction(office.store.engine) as session:
        session.add(entry)
        entry.taken_from = whole.id
    clerk = office.client("abe", departments=("bunsho",))
    page = clerk.get(f"/faxes/{entry.id}").text
    assert "この部署の文書だけを取り出したもの" in page
    assert "感染症対策課" in page
    assert "架空" not in page
    assert "ほかの部署のFAXの一部" in clerk.get("/").text
    for path in ("", "/original", "/searchable.pdf", "/pages/1.png"):
        assert clerk.get(f"/faxes/{whole.id}{path}").status_code == 404
        assert clerk.get(f"/api/v1/faxes/{whole.id}{path}").status_code == 404
    assert clerk.get(f"/faxes/{entry.id}/pages/2.png").status_code == 404
    assert entry.id in office.client("sato").get(f"/faxes/{whole.id}").text
