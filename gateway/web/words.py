"""The words of the pages, Japanese first with the English beside it, and how times, months and numbers are written.

Both languages stand at the place where they are used: nothing can be translated in one and forgotten in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.models import TOKYO, Alert, Event, Fax, State, now
from routing.department import Organisation
from routing.facts import Sender
from routing.number import written
from routing.taxonomy import Taxonomy

LANGUAGES = ("ja", "en")

SURE = 0.95
"""From here on a class is as good as certain: of such faxes hardly one in a hundred is corrected."""

PLACES = {
    "new": ("新着", "New"),
    "claimed": ("対応中", "In progress"),
    "held": ("要確認", "To be checked"),
    "done": ("完了", "Done"),
    "spam": ("迷惑・広告", "Advertising"),
    "notices": ("機器の通知", "Notices"),
}
WORKS = {"new": ("未対応", "not taken"), "claimed": ("対応中", "in progress"), "done": ("完了", "done")}
STATES = {
    "received": ("受信済み・読み取り待ち", "received, waiting to be read"),
    "reading": ("読み取り中", "being read"),
    "routed": ("振分け済み", "routed"),
    "held": ("要確認", "to be checked"),
    "failed": ("処理できず・要確認", "could not be processed"),
}
KINDS = {
    "fax": ("FAX", "Fax"),
    "part": ("分割メールの一部", "Part of a split mail"),
    "notice": ("機器からの通知", "Machine's notice"),
    "device_error": ("機器のエラー通知", "Machine's error"),
    "auto_reply": ("自動応答", "Automatic reply"),
    "mdn": ("開封通知", "Read receipt"),
    "bounce": ("配送エラー通知", "Bounce"),
    "unreadable": ("開けない添付", "Unreadable attachment"),
    "no_attachment": ("添付のないメール", "Mail without attachment"),
}
SOURCES = {
    "header": ("機器がメールのヘッダーに記載", "machine's mail header"),
    "subject": ("メールの件名", "mail subject"),
    "body": ("メールの本文", "mail body"),
    "sender": ("差出人アドレス", "sender address"),
    "envelope": ("SMTPの差出人", "SMTP envelope"),
    "filename": ("添付のファイル名", "attachment name"),
    "tsi": ("送信機が名乗った番号", "number that the sending machine calls itself"),
    "tti": ("用紙上端の発信元印字", "line printed at the top of the page"),
}
COPIES = {
    "pending": ("配送待ち", "waiting"),
    "delivered": ("配送済み", "delivered"),
    "deferred": ("再試行待ち", "will be tried again"),
    "failed": ("配送失敗", "failed"),
}
FIELDS = {
    "disease": ("疾患名", "Disease"),
    "category": ("感染症の類型", "Class of the disease"),
    "case_type": ("患者の類型", "Kind of case"),
    "reported": ("報告年月日", "Reported on"),
    "doctor": ("医師の氏名", "Doctor"),
    "reporter": ("報告者", "Reported by"),
    "institution": ("医療機関・施設の名称", "Institution"),
    "institution_address": ("医療機関・施設の所在地", "Institution's address"),
    "institution_phone": ("医療機関の電話番号", "Institution's telephone"),
    "patient_name": ("患者の氏名", "Patient's name"),
    "patient_address": ("患者の住所", "Patient's address"),
    "patient_phone": ("患者の電話番号", "Patient's telephone"),
    "guardian_name": ("保護者の氏名", "Guardian's name"),
    "guardian_address": ("保護者の住所", "Guardian's address"),
    "occupation": ("職業", "Occupation"),
    "born": ("生年月日", "Born on"),
    "sex": ("性別", "Sex"),
    "age": ("診断時の年齢", "Age at diagnosis"),
    "onset": ("発病年月日", "Onset"),
    "first_visit": ("初診年月日", "First visit"),
    "diagnosed": ("診断年月日", "Diagnosed on"),
    "infected": ("感染推定年月日", "Infected on (estimated)"),
    "died": ("死亡年月日", "Died on"),
    "admitted": ("入院年月日", "Admitted on"),
    "discharged": ("退院年月日", "Discharged on"),
    "symptoms": ("症状", "Symptoms"),
    "method": ("診断方法", "Diagnosed by"),
    "route": ("感染経路", "Route of infection"),
    "infection_place": ("感染地域", "Place of infection"),
    "cause": ("食中毒の原因", "Cause of the food poisoning"),
    "food": ("原因食品", "Food"),
    "sick": ("患者数", "Number of sick"),
    "ticked": ("その他の選択", "Other options chosen"),
}
STEPS = {
    "called": ("発信元へ連絡する", "Call the sender"),
    "settled": ("返す、または扱いを取り決める", "Return it, or agree on what becomes of it"),
    "reported": ("個人情報保護委員会へ速報", "First report to the Commission"),
    "confirmed": ("個人情報保護委員会へ確報", "Final report to the Commission"),
}
OUTCOMES = {
    "returned": ("返却", "returned"),
    "kept": ("封印のまま保管", "kept sealed"),
    "destroyed": ("破棄", "destroyed"),
    "ours": ("こちら宛て", "ours after all"),
}
KNOWN_BY = {
    "caller": ("発信番号で一致", "by the call’s number"),
    "tsi": ("発信機の名乗りで一致", "by the machine’s own name"),
    "letterhead": ("紙面の番号で一致", "by a number on the page"),
    "name": ("紙面の名称で一致", "by a name on the page"),
}
SORTS = {
    "clinic": ("診療所", "Clinic"),
    "hospital": ("病院", "Hospital"),
    "pharmacy": ("薬局", "Pharmacy"),
    "laboratory": ("検査機関", "Laboratory"),
    "nursery": ("保育園・幼稚園", "Nursery"),
    "school": ("学校", "School"),
    "care_home": ("介護・福祉施設", "Care home"),
    "company": ("会社・団体", "Company"),
    "public_body": ("官公庁", "Public body"),
    "citizen": ("住民", "Citizen"),
    "other": ("その他", "Other"),
    "": ("未設定", "not said"),
}
"""Sorts of sender (routing.directory.KINDS)."""
DIMENSIONS = {
    "line": ("回線", "line"),
    "department": ("部署", "department"),
    "sender": ("発信者", "caller"),
    "purpose": ("文書種別", "document type"),
}
EXCLUDED = {
    "duplicates": ("再送(重複)", "sent again"),
    "notices": ("機器の通知など", "machines' notices"),
    "parts": ("分割メールの一部", "parts of split mails"),
}
ACTIONS = {
    "received": ("受信しました", "received"),
    "routed": ("内容を読み取り、振り分けました", "read and routed"),
    "held": ("人の確認が必要と判断しました", "held for a person"),
    "failed": ("処理できませんでした", "could not be processed"),
    "requeued": ("読み取りをやり直しました", "sent to be read again"),
    "work:new": ("未対応に戻しました", "laid back"),
    "work:claimed": ("対応を開始しました", "taken"),
    "work:done": ("完了にしました", "finished"),
    "corrected": ("部署・種別を訂正しました", "corrected"),
    "joined": ("分割メールをひとつにしました", "parts joined"),
    "incomplete": ("分割メールの残りを待つのをやめました", "waited no longer for the missing parts"),
    "separated": ("分割メールを別々のFAXにしました", "taken apart into faxes of their own"),
    "taken": ("ほかの部署のFAXから、この部署の文書を取り出しました", "taken out of another department's fax"),
    "shared": ("文書をほかの部署にも渡しました", "a document was given to another department too"),
    "repeat": ("同じFAXの再送と判断しました", "found to be the same fax again"),
    "said:same": ("同じFAXと判断しました", "said to be the same fax"),
    "said:different": ("別のFAXと判断しました", "said to be another fax"),
    "case:sealed": ("誤着として封印しました", "sealed as misdirected"),
    "case:opened": ("理由を書いて開きました", "opened with a reason"),
    "case:called": ("発信元へ連絡しました", "called the sender"),
    "case:returned": ("返しました", "returned"),
    "case:kept": ("封印のまま保管とします", "kept sealed"),
    "case:destroyed": ("内容と原本を破棄しました", "destroyed text and original"),
    "case:erased": ("原本が保管場所から消えました", "the original has left the spool"),
    "case:ours": ("こちら宛てとして封印を解きました", "unsealed: it is ours"),
    "case:leaked": ("こちらからの漏えいを記録しました", "recorded a leak of our own"),
    "case:reported": ("速報を出しました", "made the first report"),
    "case:confirmed": ("確報を出しました", "made the final report"),
    "case:closed": ("案件を終えました", "closed the case"),
    "viewed": ("閲覧しました", "viewed"),
    "opened": ("緊急のFAXを開きました", "opened the urgent fax"),
    "alerted": ("緊急のFAXとして知らせました", "people were called"),
    "escalated": ("誰も開かないため、次の人に知らせました", "nobody had opened it: the next were called"),
    "downloaded": ("原本をダウンロードしました", "downloaded the original"),
    "delivered": ("写しを配送しました", "copy delivered"),
}
SAID = {
    "claimed": ("対応を開始しました。", "Taken."),
    "done": ("完了にしました。", "Done."),
    "new": ("未対応に戻しました。", "Laid back."),
    "corrected": ("訂正しました。写しは新しい部署へ送られます。", "Corrected."),
    "requeued": ("読み取りをやり直します。", "It will be read again."),
    "not-spam": (
        "広告ではないものとして受信箱に戻しました。種別を確かめてください。",
        "Back in the inbox as no advertising: say what it is.",
    ),
    "said:same": ("同じFAXとしました。件数には1件と数えます。", "The same fax: counted once."),
    "said:different": ("別のFAXとしました。それぞれ1件と数えます。", "Another fax: both are counted."),
    "resent": (
        "もう一度送ります。数分後にこのページを開き直してください。",
        "Trying again: look here in some minutes.",
    ),
    "case:sealed": ("誤着として封印しました。発信元に連絡してください。", "Sealed. Call its sender."),
    "case:done": ("記録しました。", "Recorded."),
    "case:destroyed": ("破棄しました。元には戻せません。", "Destroyed: it cannot be brought back."),
    "separated": ("別々のFAXにしました。それぞれ読み取り直します。", "Taken apart; each will be read again."),
    "confirmed": ("登録しました。次に届くFAXから発信元として表示します。", "Confirmed: known from the next fax on."),
    "refused": ("違うものとしました。もう提案しません。", "Refused: it will not be proposed again."),
    "forgotten": ("番号を外しました。", "The number is removed."),
    "merged": ("ひとつの機関にまとめました。", "They are one now."),
    "taken": (
        "ほかの人が先に操作していました。今の状態を確認してください。",
        "Somebody else was faster. Look at the present state.",
    ),
}
PARTS_OF_THE_GATEWAY = {
    "door": ("受信口", "the door"),
    "journey": ("自動処理", "automatic"),
    "gateway": ("自動処理", "automatic"),
}
_ERAS = (("令和", "Reiwa", 2019, 5, 2018), ("平成", "Heisei", 1989, 2, 1988), ("昭和", "Showa", 1927, 1, 1925))
_ENGLISH_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one request: its language, and the names of this site's departments and document types."""

    language: str
    organisation: Organisation
    taxonomy: Taxonomy

    def __call__(self, japanese: str, english: str) -> str:
        """One of the two."""
        return english if self.language == "en" else japanese

    def of(self, table: dict[str, tuple[str, str]], key: str) -> str:
        """The word of ``table`` for ``key``; the key itself where the table knows none."""
        return self(*table.get(key, (key, key)))

    def place(self, place: str) -> str:
        """A tab of the inbox."""
        return self.of(PLACES, place)

    def work(self, work: str) -> str:
        """What the department has done."""
        return self.of(WORKS, work)

    def state(self, state: str) -> str:
        """Where the fax is on its way."""
        return self.of(STATES, state)

    def kind(self, kind: str) -> str:
        """What sort of mail it was."""
        return self.of(KINDS, kind)

    def source(self, source: str) -> str:
        """Where the caller's number was found."""
        return self.of(SOURCES, source)

    def copy(self, state: str) -> str:
        """How far a copy has come."""
        return self.of(COPIES, state)

    def step(self, name: str) -> str:
        """Something to do in a case."""
        return self.of(STEPS, name)

    def outcome(self, outcome: str) -> str:
        """What became of a misdirected fax."""
        return self.of(OUTCOMES, outcome)

    def field(self, name: str) -> str:
        """A field of a form."""
        return self.of(FIELDS, name)

    def department(self, id: str | None) -> str:
        """A department's name."""
        if not id:
            return self("部署未定", "No department yet")
        found = self.organisation.department(id)
        return found.name if found else id

    def line(self, id: str) -> str:
        """A line as staff know it: its number, else its id."""
        found = self.organisation.line(id)
        return f"{id} ({written(found.number)})" if found and found.number else id

    def type(self, code: str | None) -> str:
        """A document type's name."""
        found = self.taxonomy.get(code)
        if found is None:
            return code or self("種別不明", "Unknown type")
        return self(found.name, found.name_en or found.name)

    def title(self, fax: Fax) -> str:
        """What a fax is, in one line."""
        if fax.kind != "fax":
            return self.kind(fax.kind)
        if fax.document_type is None and fax.state in (State.RECEIVED, State.READING):
            return self.state(fax.state)
        return self.type(fax.document_type)

    def caller(self, fax: Fax) -> str:
        """Who called, as people write a number."""
        return written(fax.caller) if fax.caller else self("番号不明", "Number unknown")

    def sender(self, sender: Sender) -> str:
        """Who sent a fax; all of them when the number speaks for several, and a doubt where nothing is proven."""
        names = self("か", " or ").join(one.name for one in sender.institutions[:3])
        return names if sender.proven and sender.one else self(f"{names}?", f"{names}?")

    def known_by(self, sender: Sender) -> str:
        """What told who sent it."""
        if sender.one is None:
            return self("複数の機関が登録されています", "several are known by it")
        return self.of(KNOWN_BY, sender.known_by)

    def sort(self, kind: str) -> str:
        """What sort of sender an institution is."""
        return self.of(SORTS, kind)

    def number(self, e164: str) -> str:
        """A number as people write it."""
        return written(e164)

    def sure(self, confidence: float | None) -> str:
        """How sure the class is, in a word."""
        if confidence is None:
            return self("—", "—")
        if confidence >= SURE:
            return self("高", "high")
        return self("中", "fair") if confidence >= self.organisation.hold_below else self("低", "low")

    def when(self, moment: datetime) -> str:
        """A time of the day for today, a date and a time for other days; Tokyo's time."""
        local, today = moment.astimezone(TOKYO), now().astimezone(TOKYO)
        clock = f"{local:%H:%M}"
        if local.date() == today.date():
            return self(f"今日 {clock}", f"today {clock}")
        english = f"{local.day} {_ENGLISH_MONTHS[local.month - 1]}"
        if local.year == today.year:
            return self(f"{local.month}月{local.day}日 {clock}", f"{english} {clock}")
        return self(f"{local.year}年{local.month}月{local.day}日 {clock}", f"{english} {local.year} {clock}")

    def exactly(self, moment: datetime) -> str:
        """Date, time and seconds; Tokyo's time."""
        return f"{moment.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"

    def due(self, due: datetime, received: datetime) -> str:
        """Until when; what is due at once (直ちに) tells how long it has been lying here."""
        if due > received:
            return self.when(due)
        minutes = max(0, int((now() - received).total_seconds() // 60))
        if minutes < 120:
            return self(f"直ちに(受信から{minutes}分)", f"at once ({minutes} min since reception)")
        return self(f"直ちに(受信から{minutes // 60}時間)", f"at once ({minutes // 60} h since reception)")

    def late(self, due: datetime, received: datetime) -> bool:
        """Whether a set time is over; what is due at once has no time to be over."""
        return received < due < now()

    def month(self, month: str) -> str:
        """A month with its Japanese era: 2026年11月(令和8年11月)."""
        year, number = int(month[:4]), int(month[5:7])
        japanese, english, count = era(year, number)
        if not japanese:
            return self(f"{year}年{number}月", f"{_ENGLISH_MONTHS[number - 1]} {year}")
        first = "元" if count == 1 else str(count)
        return self(
            f"{year}年{number}月({japanese}{first}年{number}月)",
            f"{_ENGLISH_MONTHS[number - 1]} {year} ({english} {count})",
        )

    def dimension(self, name: str) -> str:
        """What the numbers are broken down by."""
        return self.of(DIMENSIONS, name)

    def excluded(self, why: str) -> str:
        """Why something is not counted."""
        return self.of(EXCLUDED, why)

    def group(self, dimension: str, value: str) -> str:
        """One value of a breakdown, as people call it."""
        if not value:
            return self("不明", "unknown")
        names = {"line": self.line, "department": self.department, "sender": written, "purpose": self.type}
        return names[dimension](value)

    def action(self, event: Event) -> str:
        """What happened, in a sentence."""
        return self.of(ACTIONS, event.action)

    def actor(self, who: str) -> str:
        """Who did it: a person, or a part of the gateway."""
        return self.of(PARTS_OF_THE_GATEWAY, who)

    def alert(self, alert: Alert) -> str:
        """Who was called to an urgent fax and when, and whether somebody has opened it."""
        told = self(f"{self.when(alert.raised_at)}に知らせました", f"called {self.when(alert.raised_at)}")
        if alert.step > 1:
            again = self.when(alert.stepped_at)
            told += self(f"、{again}に{alert.step}回目を知らせました", f", call {alert.step} {again}")
        if alert.opened_at is None:
            return self(f"まだ誰も開いていません。{told}。", f"Nobody has opened this: {told}.")
        when, who = self.when(alert.opened_at), self.actor(alert.opened_by or "")
        return self(f"{who}が{when}に開きました。{told}。", f"{who} opened it {when}; {told}.")

    def correction(self, event: Event) -> str:
        """What a correction changed; empty for other events."""
        before, after = event.detail.get("before"), event.detail.get("after")
        if event.action != "corrected" or not before or not after:
            return ""
        changes: list[str] = []
        if before.get("department") != after.get("department"):
            changes.append(f"{self.department(before.get('department'))} → {self.department(after.get('department'))}")
        if before.get("type") != after.get("type"):
            changes.append(f"{self.type(before.get('type'))} → {self.type(after.get('type'))}")
        return self("、", ", ").join(changes)

    def value(self, field: Any) -> str:
        """The value of a field of a form as it is shown."""
        if isinstance(field, dict) and field.get("masked"):
            return self("黒塗り(電話で確認)", "blacked out: ask by telephone")
        text = field.get("value") if isinstance(field, dict) else field
        return str(text) if text not in (None, "") else "—"


def era(year: int, month: int) -> tuple[str, str, int]:
    """The Japanese era of a month: its name in both languages and its year. Empty before 1927.

    令和 since 2019-05-01, 平成 since 1989-01-08, 昭和 since 1926-12-25 (元号法, 昭和54年法律第43号, and its orders); a
    month in which the era changed is the older one's where it began in it.
    """
    for japanese, english, first_year, first_month, base in _ERAS:
        if (year, month) >= (first_year, first_month):
            return japanese, english, year - base
    return "", "", 0
