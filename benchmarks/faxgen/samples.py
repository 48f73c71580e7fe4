"""The faxes of ``samples/``: which they are, and what faxless is expected to do with each."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.constants import UserAccessPermissions

from benchmarks.faxgen.catalogue import Commission, Fax, make
from benchmarks.faxgen.fonts import ROOT, FontBook
from benchmarks.faxgen.machine import Damage, pdf

FOLDER = ROOT / "samples"
HOKEN, SHOMU, BOSAI = "hoken", "shomu", "bosai"
LINES = {
    HOKEN: ("hoken@fax.example.jp", "+81355550101"),
    SHOMU: ("shomu@fax.example.jp", "+81355550102"),
    BOSAI: ("bosai@fax.example.jp", "+81355550103"),
}
"""Line id to the address its machine forwards to and its number, as in the configuration that ships."""
USER_PASSWORD = "himitsu-2026"  # noqa: S105 - opens an invented sample, and stands in its manifest
OWNER_PASSWORD = "kanri-2026"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of ``samples/`` and what is expected of it. *held* None: either is right."""

    file: str
    line: str
    department: str | None
    note: str
    commission: Commission
    urgent: bool = False
    held: bool | None = False
    masked: bool = False
    lock: str = ""
    """``user`` or ``owner``: the password the PDF is closed with."""
    truth: dict[str, Any] = field(default_factory=dict)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute)  # noqa: DTZ001 - the sending machine's clock


def catalogue() -> tuple[Sample, ...]:
    """The samples, in the order a demonstration sends them."""
    return (
        Sample(
            "01_mashin.pdf",
            HOKEN,
            "kansen",
            "麻しん発生届(五類だが直ちに)。手書き風、ファイン。",
            urgent=True,
            commission=Commission(
                "notification_own_form", 201, header="kanji", disease="麻しん", mask=False, when=_at(20, 14, 32)
            ),
        ),
        Sample(
            "02_baidoku.tif",
            HOKEN,
            "kansen",
            "梅毒発生届(7日以内)。氏名欄のない様式、標準解像度。",
            commission=Commission(
                "notification_seven_days", 202, "standard", header="plain", disease="梅毒", when=_at(20, 15, 5)
            ),
        ),
        Sample(
            "03_kekkaku.pdf",
            HOKEN,
            "kekkaku",
            "結核発生届。結核担当へ。",
            urgent=True,
            commission=Commission("tb_report", 103, header="kana", mask=False, when=_at(20, 15, 40)),
        ),
        Sample(
            "04_shokuchudoku.tif",
            HOKEN,
            "seikatsu",
            "食中毒患者等届出票。24時間以内。G3符号化。",
            urgent=True,
            commission=Commission(
                "food_poisoning", 104, header="short", compression="group3", mask=False, when=_at(20, 16, 10)
            ),
        ),
        Sample(
            "05_shisetsu_shudan.pdf",
            HOKEN,
            "kansen",
            "高齢者施設の集団発生。2枚目は横向きの経過記録表。",
            urgent=True,
            commission=Commission("facility_line_list", 105, header="wide", when=_at(21, 8, 50)),
        ),
        Sample(
            "06_gakkyu_heisa.tif",
            HOKEN,
            "kansen",
            "学校の臨時休業報告。標準解像度、少し傾き。",
            commission=Commission(
                "school_closure", 106, "standard", (Damage("skew", 0.25),), header="arrow", when=_at(20, 11, 15)
            ),
        ),
        Sample(
            "07_soshinhyo_hasseitodoke.pdf",
            HOKEN,
            "kansen",
            "送信票が先頭。2枚目が腸管出血性大腸菌感染症の発生届で、氏名などは黒塗り。QR付き。",
            urgent=True,
            held=None,
            masked=True,
            commission=Commission(
                "notification_classic",
                107,
                cover="cover_with_code",
                header="plain",
                disease="腸管出血性大腸菌感染症",
                mask=True,
                when=_at(20, 17, 2),
            ),
        ),
        Sample(
            "08_chumonsho.pdf",
            SHOMU,
            "keiyaku",
            "注文書。",
            commission=Commission("order", 108, header="kanji", when=_at(19, 10, 20)),
        ),
        Sample(
            "09_kujo.tif",
            SHOMU,
            "bunsho",
            "手書き風の苦情。宛先の課が設定に無いので、回線の既定(文書担当)へ。",
            held=None,
            commission=Commission("complaint", 109, header="short", when=_at(19, 13, 44)),
        ),
        Sample(
            "10_shuzai.pdf",
            SHOMU,
            "koho",
            "取材依頼書。",
            commission=Commission("press_request", 110, header="wide", when=_at(19, 16, 30)),
        ),
        Sample(
            "11_kokoku.tif",
            SHOMU,
            "bunsho",
            "広告。写真モードの網点と白抜き文字、標準解像度。捨てずに文書担当へ。",
            held=None,
            commission=Commission(
                "advertisement", 111, "standard", (Damage("halftone", 0.8),), header="none", when=_at(18, 9, 5)
            ),
        ),
        Sample(
            "12_english.pdf",
            SHOMU,
            "bunsho",
            "英文の手紙。該当する分類が無ければ人が見る。",
            held=None,
            commission=Commission("english_letter", 112, header="english", when=_at(18, 18, 12)),
        ),
        Sample(
            "13_higai_sakasama.tif",
            BOSAI,
            "bosai",
            "被害状況報告。上下逆に送られた(発信元記録だけは正しい向き)。",
            urgent=True,
            commission=Commission(
                "damage_report", 113, damages=(Damage("upside_down"),), header="kanji", when=_at(21, 5, 58)
            ),
        ),
        Sample(
            "14_angoka.pdf",
            HOKEN,
            None,
            "開くのにパスワードが要るPDF。読めないので人へ(保留)。",
            held=True,
            lock="user",
            commission=Commission("lab_result", 114, header="kanji", when=_at(20, 9, 30)),
        ),
        Sample(
            "15_kengen.pdf",
            HOKEN,
            "kansen",
            "権限パスワードだけのPDF(印刷・複写禁止)。そのまま読める。検査結果報告書。",
            lock="owner",
            held=None,
            commission=Commission("lab_result", 115, header="plain", when=_at(20, 9, 41)),
        ),
        Sample(
            "16_shuwa.tif",
            SHOMU,
            "fukushi",
            "聴覚障害のある方からの手話通訳者派遣申請。標準解像度、ノイズ。",
            held=None,
            commission=Commission(
                "interpreter", 116, "standard", (Damage("noise", 0.25),), header="none", when=_at(17, 19, 20)
            ),
        ),
    )


def build(out: Path = FOLDER) -> Iterator[str]:
    """Write every sample, its truth in ``truth/`` and the manifest ``samples.json`` to *out*; yields a line for each.

    The two locked PDFs carry random salts, so their bytes differ each time; all others are the same for the same fonts.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    book, entries = FontBook(), []
    for sample in catalogue():
        fax = make(sample.commission, book)
        content = _content(sample, fax)
        (out / sample.file).write_bytes(content)
        truth = json.dumps(fax.truth, ensure_ascii=False, separators=(",", ":"))
        (out / "truth" / f"{Path(sample.file).stem}.json").write_text(truth + "\n", "utf-8")
        entries.append(_entry(sample, fax, content))
        yield f"{sample.file}  {len(content):>7} bytes  {fax.pages} pages  {fax.truth['document_type']}"
    manifest = {
        "lines": {line: {"address": address, "number": number} for line, (address, number) in LINES.items()},
        "samples": entries,
    }
    (out / "samples.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _content(sample: Sample, fax: Fax) -> bytes:
    if sample.file.endswith(".tif"):
        return fax.tiff
    return _locked(pdf(fax.tiff), sample.lock) if sample.lock else pdf(fax.tiff)


def _locked(plain: bytes, lock: str) -> bytes:
    """*plain* in AES-128 (ISO 32000-1, 7.6): opened only by a password, or open but not to be printed or copied."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    nothing = UserAccessPermissions(0)
    if lock == "user":
        writer.encrypt(USER_PASSWORD, OWNER_PASSWORD, algorithm="AES-128")
    else:
        writer.encrypt("", OWNER_PASSWORD, permissions_flag=nothing, algorithm="AES-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _entry(sample: Sample, fax: Fax, content: bytes) -> dict[str, Any]:
    """The manifest's words on one sample."""
    truth, closed = fax.truth, sample.lock == "user"
    address, number = LINES[sample.line]
    entry: dict[str, Any] = {
        "file": sample.file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "pages": fax.pages,
        "document_type": None if closed else truth["document_type"],
        "department": sample.department,
        "urgent": sample.urgent,
        "held": sample.held,
        "masked": sample.masked,
        "disease": truth["disease"],
        "documents": [] if closed else truth["documents"],
        "caller": truth["caller"],
        "line": sample.line,
        "line_address": address,
        "line_number": number,
        "resolution": truth["res"],
        "damage": truth["degrade"],
        "compression": truth["compression"],
        "layout": truth["doc"],
        "seed": truth["seed"],
        "fonts": truth["fonts"],
        "font_stand_ins": truth["font_stand_ins"],
        "note": sample.note,
    }
    if sample.lock:
        entry["password"] = {"user": USER_PASSWORD if closed else "", "owner": OWNER_PASSWORD}
    return entry
