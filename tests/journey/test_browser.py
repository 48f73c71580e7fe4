"""The whole way with eyes: a machine sends, and the department's page shows the fax without a touch."""

from __future__ import annotations

import secrets
from email.message import EmailMessage
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from tests.conftest import Gateway

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def mail_of_a_blank_page() -> bytes:
    """What a machine sends: one page of 204x196 dpi as TIFF; nothing stands on it, so a person must look."""
    page = BytesIO()
    image = Image.new("1", (1728, 2200), 1)
    image.save(page, "TIFF", compression="group4", dpi=(204, 196))
    mail = EmailMessage()
    mail["From"], mail["To"] = "mfp@fax.example.jp", "hoken@fax.example.jp"
    mail["Subject"] = "ファクス受信 発信元 03-5555-0147"
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@fax.example.jp>"
    mail.set_content("1 page")
    mail.add_attachment(page.getvalue(), maintype="image", subtype="tiff", filename="fax.tif")
    return mail.as_bytes()


def test_sent_shown_looked_at_done(gateway: Gateway) -> None:
    made = gateway.command("user", "add", "hanako")
    expect.set_options(timeout=30_000)  # on a machine that reads at the same time
    address = f"http://{gateway.config.web.listen}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_context(locale="ja-JP").new_page()
        page.set_default_timeout(30_000)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.get_by_label("ユーザー名").fill("hanako")
        page.get_by_label("パスワード", exact=True).fill(made["password"])
        page.get_by_role("button", name="サインイン").click()
        page.get_by_label("今のパスワード").fill(made["password"])
        for label in ("新しいパスワード 12文字以上", "新しいパスワード(もう一度)"):
            page.get_by_label(label, exact=True).fill("tsubaki 2026 fuyu")
        page.get_by_role("button", name="変更する").click()
        page.goto(f"{address}/?place=held")
        expect(page.get_by_text("自動更新中")).to_be_visible()

        (fax_id,) = gateway.mail(mail_of_a_blank_page())

        row = page.locator(f"#row-{fax_id}")
        expect(row).to_be_visible(timeout=90_000)
        expect(row).to_contain_text("03-5555-0147")
        row.get_by_role("link").click()
        expect(page.get_by_text("人の確認が必要です")).to_be_visible()
        page.wait_for_function("() => document.querySelector('#page-1 img').naturalWidth > 1000")
        page.get_by_role("button", name="完了", exact=True).click()
        expect(page.get_by_text("完了にしました")).to_be_visible()
        expect(row).to_have_count(0)
        assert complaints == []
        browser.close()
    assert gateway.ask(f"/api/v1/faxes/{fax_id}")["work"] == "done"
