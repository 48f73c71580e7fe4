"""E-mail bytes in, a Message out: what kind of mail it is, the fax in it, and what it tells of the call.

Pure, and total: any bytes give a Message, in time and memory bounded by the limits of :mod:`gateway.mime`. What cannot
be understood is told in ``problems`` (Japanese, for staff) and is never a reason to drop the mail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway import charset, mime
from gateway.enclosure import Attachment, Enclosed, FaxPages, enclosed, fax_pages, sniff, unpacked
from gateway.partial import Partial, PartsMissing, is_partial, join_parts, partial_of
from gateway.transmission import Clues, Transmission, read_transmission

__all__ = ["Attachment", "Message", "MessageKind", "Partial", "PartsMissing", "join_parts", "read_message"]

MAX_BODY = 65_536
"""Characters of body text that are kept."""


class MessageKind(StrEnum):
    """What a mail that reached a line is."""

    FAX = "fax"
    PART = "part"
    """A piece of a split mail (message/partial, RFC 2046 5.2.2): to be joined with the others."""
    NOTICE = "notice"
    """A machine tells of a fax that comes, or came, by another mail."""
    DEVICE_ERROR = "device_error"
    """A machine tells of an error: a fax may be lost somewhere."""
    AUTO_REPLY = "auto_reply"
    MDN = "mdn"
    BOUNCE = "bounce"
    UNREADABLE = "unreadable"
    """Something is attached or enclosed that cannot be opened as a fax."""
    NO_ATTACHMENT = "no_attachment"


@dataclass(frozen=True, slots=True)
class Message:
    """A mail as faxless understands it."""

    kind: MessageKind
    subject: str = ""
    sender: str = ""
    message_id: str = ""
    """May be missing, and is used again by some machines after a restart: never an identity by itself."""
    body: str = ""
    documents: tuple[Attachment, ...] = ()
    """The fax, in the order of its pages; of several renditions of it only one."""
    others: tuple[Attachment, ...] = ()
    """Everything else attached, also renditions that were not chosen."""
    partial: Partial | None = None
    transmission: Transmission = field(default_factory=Transmission)
    problems: tuple[str, ...] = ()
    """Japanese sentences for staff: what could not be understood, what was repaired."""
    beyond: bool = False
    """A limit was passed before anything could be seen: what is in it is for a person to say."""

    @property
    def counts(self) -> bool:
        """One fax was received by this mail, be it readable or not (encrypted, a bomb)."""
        return self.kind is MessageKind.FAX or self.beyond


def read_message(raw: bytes, *, envelope_from: str = "", own_numbers: frozenset[str] = frozenset()) -> Message:
    """Understand a mail.

    ``envelope_from`` is SMTP's MAIL FROM (on-ramp gateways put the caller there, RFC 3192); ``own_numbers`` are E.164
    numbers of our own lines, which are never taken for the caller's. Raises nothing for content.
    """
    head = mime.open_head(raw)
    try:
        if is_partial(head):
            return _part(head, envelope_from, own_numbers)
        opened = mime.open_mail(raw)
        return _understood(opened, envelope_from, own_numbers)
    except mime.TooMuch as reason:
        why = f"メールを開けません。{reason}"
    except RecursionError:
        why = "メールの入れ子が深すぎて開けません。"
    except MemoryError:
        why = "メールを開くためのメモリが足りません。"
    return read_head(raw, f"{why}{OPEN_BY_HAND}", envelope_from=envelope_from, own_numbers=own_numbers)


OPEN_BY_HAND = "細工されたメールの可能性があります。発信元に確認し、原本は専用の端末で開いてください。"


def read_head(raw: bytes, why: str, *, envelope_from: str = "", own_numbers: frozenset[str] = frozenset()) -> Message:
    """Understand the header alone of a mail that cannot be opened for the reason ``why`` (Japanese). It counts."""
    told = _told(mime.open_head(raw), MessageKind.UNREADABLE, envelope_from, own_numbers, why)
    return replace(told, beyond=True)


def _understood(opened: mime.Opened, envelope_from: str, own_numbers: frozenset[str]) -> Message:
    head = opened.head
    body, texts = _body(opened.leaves)
    attached = unpacked([enclosed(leaf) for leaf in opened.leaves if not any(leaf is text for text in texts)])
    clues = _clues(opened, body, attached, envelope_from)
    transmission = read_transmission(clues, own_numbers)
    fax = fax_pages(attached, transmission.pages_claimed)
    kind, problems = _kind(opened, fax, body)
    if kind is not MessageKind.FAX:
        everything = tuple(item.attachment for item in attached)
        fax = replace(fax, documents=(), others=everything)
    return Message(
        kind=kind,
        subject=head.first("subject"),
        sender=head.first("from") or head.first("sender"),
        message_id=head.first("message-id")[:998],
        body=body,
        documents=fax.documents,
        others=fax.others,
        transmission=transmission,
        problems=tuple(dict.fromkeys((*problems, *fax.problems, *opened.repairs))),
    )


def _told(head: mime.Head, kind: MessageKind, envelope_from: str, own_numbers: frozenset[str], *why: str) -> Message:
    """A message of which only the header is known."""
    opened = mime.Opened(head)
    return Message(
        kind=kind,
        subject=head.first("subject"),
        sender=head.first("from") or head.first("sender"),
        message_id=head.first("message-id")[:998],
        transmission=read_transmission(_clues(opened, "", [], envelope_from), own_numbers),
        problems=why,
    )


def _part(head: mime.Head, envelope_from: str, own_numbers: frozenset[str]) -> Message:
    partial = partial_of(head)
    if partial is None:
        sentence = "分割メール(message/partial)の番号が読めないため、つなげることができません。"
        return _told(head, MessageKind.UNREADABLE, envelope_from, own_numbers, sentence)
    told = _told(head, MessageKind.PART, envelope_from, own_numbers)
    return replace(told, partial=partial)


def _clues(opened: mime.Opened, body: str, attached: list[Enclosed], envelope_from: str) -> Clues:
    heads = (opened.head, *opened.inner[:10])
    return Clues(
        subjects=tuple(head.first("subject") for head in heads),
        bodies=(body,) if body else (),
        senders=tuple(head.first("from") or head.first("sender") for head in heads),
        envelope_from=envelope_from,
        filenames=tuple(item.attachment.name for item in attached if item.attachment.name)[:50],
        fields=tuple(
            (name, charset.header(value)) for head in heads for name, value in head.items() if name.startswith("x-")
        )[:100],
        # A mail forwarded inside another carries the machine's own date.
        ids=tuple(head.first("message-id")[:998] for head in heads),
        dates=tuple(date for head in reversed(heads) for date in head.all("date")[:3]),
    )


# ---------------------------------------------------------------------------------------------------------- body


def _body(leaves: Sequence[mime.Leaf]) -> tuple[str, list[mime.Leaf]]:
    """The text that was written, and the leaves it came from."""
    texts = [leaf for leaf in leaves if _is_text(leaf) and not leaf.name]
    if not texts:  # some machines give their only text a name
        texts = [leaf for leaf in leaves if _is_text(leaf) and leaf.media_type == "text/plain"][:1]
    plain = [leaf for leaf in texts if leaf.media_type != "text/html"]
    shown = [leaf for leaf in plain if leaf.data.strip()] or [leaf for leaf in texts if leaf not in plain]
    pieces = [_text_of(leaf) for leaf in shown[:20]]
    return "\n".join(piece for piece in pieces if piece)[:MAX_BODY], texts


def _is_text(leaf: mime.Leaf) -> bool:
    return (
        leaf.media_type.startswith("text/")
        and leaf.disposition != "attachment"
        and sniff(leaf.data) in ("text", "other")
    )


def _text_of(leaf: mime.Leaf) -> str:
    text = charset.decode(leaf.data[: MAX_BODY * 4], leaf.charset)
    if leaf.media_type == "text/html":
        text = _without_tags(text)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()[:MAX_BODY]


def _without_tags(html: str) -> str:
    for hidden in ("style", "script", "head"):
        html = _without(html, f"<{hidden}", f"</{hidden}>")
    html = re.sub(r"<(?:br|/p|/div|/tr|/h\d|/li)\b[^<>]*>", "\n", html, flags=re.IGNORECASE)
    html = re.sub(r"<[^<>]*>", " ", html)
    for entity, char in (
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ):
        html = html.replace(entity, char)
    return re.sub(r"[ \t]+", " ", html)


def _without(html: str, start: str, end: str) -> str:
    lower, kept, at = html.lower(), [], 0
    if len(lower) != len(html):  # İ lowers to two characters
        return html
    while (opened := lower.find(start, at)) >= 0:
        kept.append(html[at:opened])
        closed = lower.find(end, opened)
        if closed < 0:
            return "".join(kept)
        at = closed + len(end)
    return "".join((*kept, html[at:]))


# ---------------------------------------------------------------------------------------------------------- kind

_AUTO_SUBJECT = re.compile(
    r"^(?:auto(?:matic)?(?: ?reply| ?response)?\s*:|out of (?:the )?office|"
    r"自動(?:応答|返信)|不在(?:通知|連絡|のお知らせ))",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|returned mail|delivery (?:status|failure|has failed)|mail delivery|failure notice|"
    r"配信(?:不能|失敗|エラー)|配送エラー",
    re.IGNORECASE,
)
_ERROR_SUBJECT = re.compile(
    r"error message no|\b(?:transmission|reception|receive|receiving|fax|forward(?:ing)?|communication|device)\b.{0,20}"
    r"\b(?:error|failed|failure)\b|(?:受信|送信|転送|通信|配信)(?:エラー|失敗|不良)|(?:受信|転送|送信)に失敗|エラー(?:通知|発生|メッセージ|報告)|"
    r"(?:受信|転送|送信|印刷|出力)(?:が|を)?(?:でき(?:ません|ず|なかった)|中止|中断)|"
    r"\b(?:could|can) ?not (?:be )?(?:receiv|print|forward|sen[dt])|"
    r"紙づまり|紙詰まり|用紙(?:切れ|なし|がありません)|メモリー?.{0,6}(?:フル|不足|いっぱい|一杯)|"
    r"paper jam|out of paper|memory full|toner (?:low|empty)",
    re.IGNORECASE,
)
ERROR_TOLD = "機器がエラーを知らせています。ファクスが失われた可能性があります。"
MOST_TOLD = 4_000
"""Characters of a machine's mail in which it says what happened; a journal with a line an entry is longer."""
_ERROR_BODY = re.compile(
    r"(?:受信|印刷|プリント|転送|保存)(?:が|を|に|は)?(?:でき(?:ません|ず|なかった)|失敗|不良|エラー)|"
    r"メモリ(?:ー)?(?:が)?(?:フル|不足|いっぱい|一杯)|(?:紙|用紙)(?:づまり|詰まり|詰り|切れ|がなくな|がありません)|ジャム|"
    r"paper jam|jammed|memory (?:is )?full|out of (?:paper|memory)|"
    r"(?:could|can|was|were) ?not (?:be )?(?:receiv|print|forward|stor)|"
    r"(?:reception|receiving|printing|forwarding|fax) (?:has )?failed|failed to (?:receive|print|forward|store)",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"返信|送信専用|場合|際は|ときは|repl(?:y|ies)|\bif\b|\bwhen\b", re.IGNORECASE)
_NOTICE_SUBJECT = re.compile(
    r"(?:fax|ファッ?クス|ファクシミリ).{0,40}(?:recei|arriv|notif|forward|受信|着信|転送|届|通知|お知らせ)|"
    r"(?:recei|incoming|new|受信|着信|転送).{0,20}(?:fax|ファッ?クス|ファクシミリ)|"
    r"(?:fwd|forward\w*) (?:done|complete)|"
    r"(?:転送|送信|受信)(?:完了|終了|結果|レポート)|transmission (?:report|result)|"
    r"activity report|通信管理(?:レポート)?|journal",
    re.IGNORECASE,
)
_HYLAFAX_LINE = re.compile(
    r"^\s*(?:Sender|Pages|Quality|Received|CommID|Received On|Signal Rate|CallID\d):", re.MULTILINE
)
_SAYS_ENCLOSED = re.compile(r"enclosed|attached|attachment|添付", re.IGNORECASE)
# The fax lies elsewhere and the mail only tells where: cloud services, boxes of larger machines.
_SAYS_ELSEWHERE = re.compile(
    r"downloads?\b|ダウンロード|click (?:here|the link|below|on)|(?:view|open|see|retrieve) (?:the|your|this) fax|"
    r"(?:こちら|下記|以下)の?(?:リンク|URL|アドレス)?(?:から|を(?:クリック|開)|より|にアクセス)",
    re.IGNORECASE,
)
_RICOH_FAX = re.compile(r"fax message no", re.IGNORECASE)


def _kind(opened: mime.Opened, fax: FaxPages, body: str) -> tuple[MessageKind, tuple[str, ...]]:
    """What the mail is, and the sentences that say why it is not simply a fax."""
    head = opened.head
    subject = head.first("subject")
    if opened.report:
        return (MessageKind.MDN if opened.report == "mdn" else MessageKind.BOUNCE), ()
    if _is_bounce(head, subject, bool(fax.documents)):
        return MessageKind.BOUNCE, ()
    real = any(document.kind in ("pdf", "tiff") for document in fax.documents)
    if _is_auto_reply(head):
        if not real and _ERROR_SUBJECT.search(subject) and not _AUTO_SUBJECT.search(subject):
            return MessageKind.DEVICE_ERROR, (ERROR_TOLD,)
        if not real:
            return MessageKind.AUTO_REPLY, ()
        return MessageKind.FAX, ("自動応答の印が付いたメールですが、文書が添付されているためファクスとして扱います。",)
    if fax.documents:
        sentence = ("機器のエラー通知に文書が添付されています。受信が途中で切れた可能性があります。",)
        return MessageKind.FAX, sentence if _ERROR_SUBJECT.search(subject) else ()
    return _kind_without_fax(head, subject, fax, body)


def _kind_without_fax(head: mime.Head, subject: str, fax: FaxPages, body: str) -> tuple[MessageKind, tuple[str, ...]]:
    if _AUTO_SUBJECT.search(subject):
        return MessageKind.AUTO_REPLY, ()
    if _ERROR_SUBJECT.search(subject):
        return MessageKind.DEVICE_ERROR, (ERROR_TOLD,)
    if fax.unopened:
        names = "、".join(item.name or "(名前なし)" for item in fax.unopened[:5])
        more = f"、ほか{len(fax.unopened) - 5}個" if len(fax.unopened) > 5 else ""
        return MessageKind.UNREADABLE, (
            f"ファクスとして開ける添付ファイル(PDF・TIFF・画像)がありません。添付: {names}{more}。",
        )
    generated = head.first("auto-submitted").lower().startswith("auto-generated")
    hylafax = len(_HYLAFAX_LINE.findall(body)) >= 3
    telling = generated or bool(_NOTICE_SUBJECT.search(subject)) or hylafax
    if telling and _tells_of_error(body):
        return MessageKind.DEVICE_ERROR, (ERROR_TOLD,)
    if hylafax:
        return MessageKind.NOTICE, ()
    if _tells_of_a_fax_elsewhere(subject, body):
        return MessageKind.NO_ATTACHMENT, (
            "ファクスの受信を知らせるメールですが、文書は別の場所にあります。本文の案内に従って取り出し、管理者に知らせてください。",
        )
    if _RICOH_FAX.search(subject) or (_NOTICE_SUBJECT.search(subject) and _SAYS_ENCLOSED.search(body)):
        return MessageKind.NO_ATTACHMENT, (
            "ファクスを届けるメールですが、文書が付いていません。送信元の機器を確認してください。",
        )
    if telling:
        return MessageKind.NOTICE, ()
    return MessageKind.NO_ATTACHMENT, ("添付ファイルがありません。",)


def _tells_of_a_fax_elsewhere(subject: str, body: str) -> bool:
    return bool(_NOTICE_SUBJECT.search(subject) and _SAYS_ELSEWHERE.search(body[:MOST_TOLD]))


def _tells_of_error(body: str) -> bool:
    """Whether a line says that something was not received, printed or passed on; not what to do in such a case."""
    return any(_ERROR_BODY.search(line) and not _ADVICE.search(line) for line in body[:MOST_TOLD].splitlines())


def _is_bounce(head: mime.Head, subject: str, documents: bool) -> bool:
    sender = (head.first("from") + " " + head.first("return-path")).lower()
    if "mailer-daemon" in sender or head.raw("x-failed-recipients"):
        return True
    return "postmaster" in sender and not documents and bool(_BOUNCE_SUBJECT.search(subject))


def _is_auto_reply(head: mime.Head) -> bool:
    # RFC 3834 section 5: auto-replied; auto-generated is what a well-behaved fax machine says of itself.
    if head.first("auto-submitted").lower().startswith("auto-replied"):
        return True
    if head.first("x-autoreply") or head.first("x-autorespond") or head.first("x-auto-reply"):
        return True
    return head.first("precedence").lower() in ("auto_reply", "auto-reply")
