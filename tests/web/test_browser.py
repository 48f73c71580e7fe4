"""The pages in a real browser: under the keyboard, live, without a word to anybody outside, accessible."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from gateway.models import Baseline

if TYPE_CHECKING:
    from tests.web.conftest import Office

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""JIS X 8341-3:2016 AA is WCAG 2.0 AA; the rest is our own bar."""


MEASLES = {"value": "麻しん", "raw": "麻しん", "page": 1, "box": [80, 160, 176, 192], "confidence": 0.9}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's chromium."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    expect.set_options(timeout=20_000)  # on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser
        browser.close()


@dataclass
class Seat:
    """A person before a browser, and what the browser complained about or asked of others."""

    page: Page
    office: Office
    complaints: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def open(self, path: str) -> Page:
        self.page.goto(self.office.address + path)
        return self.page

    def sign_in(self, name: str, **person: Any) -> Page:
        self.office.person(name, password_hash=self.office.hashed, **person)
        page = self.open("/login")
        page.get_by_label("ユーザー名").fill(name)
        page.get_by_label("パスワード", exact=True).fill(self.office.password)
        page.get_by_role("button", name="サインイン").click()
        page.wait_for_url(self.office.address + "/")
        return page

    def violations(self) -> list[str]:
        """What axe finds wrong with the page; injected past the page's own policy, as a person's extension would be."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
        question = f"axe.run({{runOnly: {json.dumps(RULES)}}})"
        answer = session.send("Runtime.evaluate", {"expression": question, "awaitPromise": True, "returnByValue": True})
        result = answer["result"]["value"]
        assert len(result["passes"]) > 15  # it did look
        return [f"{one['id']}: {node['html']}" for one in result["violations"] for node in one["nodes"]]


@pytest.fixture
def seat(office: Office, chromium: Browser) -> Iterator[Seat]:
    """A seat whose browser may not complain about anything and may ask nobody but us."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="ja-JP")
    page = context.new_page()
    page.set_default_timeout(15_000)
    taken = Seat(page, office)
    page.on("console", lambda message: taken.complaints.append(message.text))
    page.on("pageerror", lambda error: taken.complaints.append(str(error)))
    page.on("request", lambda request: taken.asked.add(urlsplit(request.url).hostname or ""))
    yield taken
    context.close()
    assert taken.complaints == []
    assert taken.asked == {"127.0.0.1"}


def test_from_the_list_to_the_fax_to_done(seat: Seat) -> None:
    fax, other = seat.office.urgent(), seat.office.fax()
    page = seat.sign_in("sato")
    expect(page.locator(".row")).to_have_count(2)
    page.locator(f"#open-{fax.id}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("感染症発生届(直ちに)")
    expect(page.get_by_text("ここに届いた理由")).to_be_visible()
    picture = page.locator("#page-1 img")
    expect(picture).to_be_visible()
    page.wait_for_function("() => document.querySelector('#page-1 img').naturalWidth === 860")
    page.get_by_role("button", name="完了", exact=True).click()
    expect(page.get_by_text("完了にしました")).to_be_visible()
    expect(page.locator(f"#row-{fax.id}")).to_have_count(0)
    expect(page.locator(f"#row-{other.id}")).to_be_visible()
    page.get_by_role("link", name="完了").click()
    expect(page.locator(f"#row-{fax.id}")).to_be_visible()
    assert seat.office.desk.fax(fax.id).work_by == "sato"


def test_a_new_fax_shows_by_itself_and_the_focus_stays(seat: Seat) -> None:
    first = seat.office.fax()
    page = seat.sign_in("sato")
    expect(page.get_by_text("自動更新中")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(f"#open-{first.id}")).to_be_focused()
    page.get_by_label("FAXの文章・発信番号で検索").evaluate("element => { element.value = '書きかけ' }")
    second = seat.office.urgent()
    expect(page.locator(".row").first).to_have_id(f"row-{second.id}")
    expect(page.locator(f"#open-{first.id}")).to_be_focused()
    expect(page.locator("#count")).to_have_text("新着 2件・緊急 1件")
    expect(page.get_by_label("FAXの文章・発信番号で検索")).to_have_value("書きかけ")
    third = seat.office.fax(department="kekkaku")
    fourth = seat.office.fax()
    expect(page.locator(f"#row-{fourth.id}")).to_be_visible()
    expect(page.locator(f"#row-{third.id}")).to_have_count(0)


def test_live_update_survives_a_slow_net(seat: Seat) -> None:
    def late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    seat.page.route("**/hx-sse.min.js", late)
    page = seat.sign_in("sato")
    expect(page.get_by_text("自動更新中")).to_be_visible()
    fax = seat.office.fax()
    expect(page.locator(f"#row-{fax.id}")).to_be_visible()


def test_with_the_keyboard_alone(seat: Seat) -> None:
    for _ in range(3):
        seat.office.fax()
    page = seat.sign_in("sato")
    rows = page.locator(".row")
    ids = [rows.nth(number).get_attribute("id") for number in range(3)]
    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(page.locator(f"#{ids[1]} a.open")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(f"#{ids[1]}").get_by_role("button", name="完了")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(page.locator(f"#{ids[2]} a.open")).to_be_focused()  # the one that took its place
    page.keyboard.press("o")
    page.wait_for_url(lambda address: "/faxes/" in address)
    page.keyboard.press("k")
    page.wait_for_url(lambda address: str(ids[0]).removeprefix("row-") in address)


def test_letter_keys_can_be_switched_off(seat: Seat) -> None:
    seat.office.fax()
    page = seat.sign_in("sato")
    page.get_by_role("button", name="文字キーの操作を使う").click()
    page.locator("body").press("j")
    expect(page.locator("a.open")).not_to_be_focused()
    seat.open("/")
    expect(page.get_by_role("button", name="文字キーの操作を使う")).to_have_attribute("aria-pressed", "false")


def test_taking_from_the_list_without_leaving_it(seat: Seat) -> None:
    fax = seat.office.fax()
    page = seat.sign_in("sato")
    page.locator(f"#row-{fax.id}").get_by_role("button", name="対応する").click()
    expect(page.locator("#said")).to_have_text("対応を開始しました。")
    expect(page.get_by_text("新着はありません。")).to_be_visible()
    page.get_by_role("link", name="対応中").click()
    expect(page.locator(f"#row-{fax.id}")).to_contain_text("対応中: sato")


def test_a_word_shows_its_place_and_the_page_turns_and_grows(seat: Seat) -> None:
    fax = seat.office.fax(
        "感染症発生届\n麻しん",
        fields={
            "disease": {"value": "麻しん", "raw": "麻しん", "page": 1, "box": [80, 160, 176, 192], "confidence": 0.9}
        },
    )
    seat.sign_in("sato")
    page = seat.open(f"/faxes/{fax.id}")
    box = page.locator("#page-1 rect.box")
    page.locator(".word").nth(1).hover()
    expect(box).to_have_attribute("y", "160")
    expect(box).to_have_attribute("width", "96")
    page.get_by_role("button", name="画像で見る").click()
    expect(box).to_have_attribute("height", "32")
    frame = page.locator("#page-1 .frame")
    upright = frame.bounding_box()
    page.get_by_role("button", name="90°回転").click()
    turned = frame.bounding_box()
    assert upright
    assert turned
    assert upright["height"] > upright["width"]
    assert turned["height"] < turned["width"]
    page.get_by_role("button", name="拡大").click()
    grown = frame.bounding_box()
    assert grown
    assert grown["width"] > turned["width"] * 1.2
    # The picture tells its words too: the pointer over the second bar, upright again and fitted.
    page.get_by_role("button", name="幅に合わせる").click()
    for _ in range(3):
        page.get_by_role("button", name="90°回転").click()
    place = page.locator("#page-1 svg").bounding_box()
    assert place
    scale = place["width"] / 860
    page.mouse.move(place["x"] + 120 * scale, place["y"] + 176 * scale)
    expect(page.locator(".word.on")).to_have_text("麻しん")


def test_without_script_everything_can_be_done(office: Office, chromium: Browser) -> None:
    fax = office.fax()
    office.person("sato", password_hash=office.hashed)
    context = chromium.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(office.address)
    page.get_by_label("ユーザー名").fill("sato")
    page.get_by_label("パスワード", exact=True).fill(office.password)
    page.get_by_role("button", name="サインイン").click()
    page.get_by_role("button", name="対応する").click()
    page.get_by_role("link", name="対応中").click()
    page.locator(f"#open-{fax.id}").click()
    expect(page.locator("#page-1 img")).to_be_visible()
    page.get_by_label("部署 必須").select_option("bunsho")
    page.get_by_label("文書種別 必須").select_option("OTHER")
    page.get_by_role("button", name="訂正する").click()
    expect(page.get_by_text("訂正しました")).to_be_visible()
    context.close()
    assert office.desk.fax(fax.id).department == "bunsho"


def test_the_chart_is_drawn(seat: Seat) -> None:
    rows = [
        Baseline(month=f"{year}-{month:02}", bureau="", department="kansen", direction="received", count=100)
        for year in (2019, 2020)
        for month in range(1, 13)
    ]
    seat.office.store.ledger.save_baseline(rows, "tests")
    seat.office.fax()
    seat.sign_in("ito", role="manager")
    page = seat.open("/traffic")
    expect(page.locator("#chart svg path").first).to_be_attached()
    assert page.locator("#chart svg path").count() > 20
    expect(page.get_by_role("img", name="13か月の件数の棒グラフ")).to_be_visible()


@pytest.mark.parametrize("width", [1366, 390])
def test_nothing_stands_in_anybodys_way(seat: Seat, width: int) -> None:
    office = seat.office
    fax = office.held(
        "氏名が黒塗りです。",
        urgent=True,
        masked=True,
        text=("発生届\n麻しん", "二枚目"),
        barcodes=("DOC-1",),
        sinks=("share",),
        fields={"disease": MEASLES},
    )
    office.urgent()
    office.fax()
    office.fax("特別価格", document_type="SPAM", held=True, held_because=("広告・営業と思われます。",), apart=True)
    office.fax("", kind="device_error", document_type=None, held=True, held_because=("エラー",))
    other = office.fax("薬局 御中", sinks=("share",))
    for copy in office.store.copies.deliveries([other.id]):
        office.store.copies.carried(copy.id, "delivered", None, "/share/1.json", None)
    office.store.seal(other.id, "suzuki")
    gone = office.fax("薬局 様")
    office.store.seal(gone.id, "suzuki")
    office.store.cases.destroy(gone.id, "suzuki", "発信元の依頼")
    seat.page.set_viewport_size({"width": width, "height": 844})
    seat.open("/login")
    assert seat.violations() == []
    page = seat.sign_in("suzuki", role="admin", departments=("*",))
    for path in (
        "/",
        "/?place=held",
        "/?place=done",
        "/?place=spam",
        "/machines",
        "/cases",
        f"/cases/{other.id}",
        f"/cases/{other.id}/destroy",
        f"/cases/{gone.id}",
        "/?q=x",
        f"/faxes/{fax.id}",
        "/sinks",
        "/traffic",
        "/password",
        "/api/docs",
    ):
        seat.open(path)
        assert seat.violations() == [], path
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide}"
    seat.open("/?lang=en")
    assert seat.violations() == []
