"""Japanese in headers, names and bodies, whatever charset the machine claims."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import charset

JIS = "iso-2022-jp"
# Characters that every Japanese charset has: kana, level 1 and 2 kanji, full-width Latin.
EVERYWHERE = "あいがっンーヴ受信文書発生届保健所表ソ能予構暴噂貼圭彌髮齋櫻ＡＺ０９「」。、・々〆"
KANA_AND_KANJI = st.text(alphabet=EVERYWHERE, min_size=1, max_size=30)
MIXED = st.text(alphabet=EVERYWHERE + "abcXYZ 0189-_.()", min_size=1, max_size=40)
CHARSETS = ["utf-8", JIS, "shift_jis", "cp932", "euc_jp", "iso-2022-jp-ext", "windows-31j", "x-sjis", "x-euc-jp"]
CODECS = {"windows-31j": "cp932", "x-sjis": "cp932", "x-euc-jp": "euc_jp", "iso-2022-jp-ext": "iso2022_jp_ext"}


def coded(text: str, name: str) -> bytes:
    return text.encode(CODECS.get(name, name))


def word(raw: bytes, name: str, encoding: str = "B") -> bytes:
    if encoding == "B":
        return f"=?{name}?B?".encode() + base64.b64encode(raw) + b"?="
    return f"=?{name}?Q?".encode() + "".join(f"={byte:02X}" for byte in raw).encode() + b"?="


def plain(text: str) -> str:
    """As a header comes out: white space squeezed."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", CHARSETS)
@given(text=MIXED, encoding=st.sampled_from("BQ"))
def test_encoded_words_come_back(name: str, text: str, encoding: str) -> None:
    assert charset.header(word(coded(text, name), name, encoding)) == plain(text)


@pytest.mark.parametrize("name", ["utf-8", "shift_jis", "euc_jp", JIS])
@given(text=MIXED, data=st.data())
def test_words_cut_inside_a_character_come_back(name: str, text: str, data: st.DataObject) -> None:
    raw = coded(text, name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=4)))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    folded = b"\r\n ".join(word(piece, name) for piece in pieces)
    assert charset.header(folded) == plain(text)


def test_words_cut_inside_a_base64_quad_come_back() -> None:
    whole = base64.b64encode("受信文書です".encode())
    assert charset.header(b"=?utf-8?B?" + whole[:7] + b"?= =?utf-8?B?" + whole[7:] + b"?=") == "受信文書です"


@pytest.mark.parametrize("name", ["utf-8", JIS, "cp932", "euc_jp"])
@given(text=KANA_AND_KANJI)
def test_declared_bodies_come_back(name: str, text: str) -> None:
    assert charset.decode(coded(text, name), name) == text


@pytest.mark.parametrize("name", ["utf-8", JIS, "cp932", "euc_jp"])
@pytest.mark.parametrize("claimed", [None, "us-ascii", "iso-8859-1", "x-unknown", "punycode", "", "utf-8"])
@pytest.mark.parametrize(
    "text",
    [
        "受信文書_0359990123",
        "ファクス受信 高田馬場クリニック",
        "発生届(表)",
        "保健所長",
        "ソフトウェア能力表",
        "福祉課あて",
    ],
)
def test_undeclared_text_is_recognised(text: str, name: str, claimed: str | None) -> None:
    assert charset.decode(coded(text, name), claimed) == text


@pytest.mark.parametrize("text", ["ﾌｧｸｽ", "ﾀｶﾀﾞﾉﾊﾞﾊﾞｸﾘﾆｯｸ"])
def test_half_width_kana_are_recognised(text: str) -> None:
    assert charset.decode(text.encode("cp932")) == text


def test_western_text_stays_western() -> None:
    assert charset.decode("Télécopie reçue à l'hôtel".encode("latin-1"), "iso-8859-1") == "Télécopie reçue à l'hôtel"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\x1b$B-!\x1b(B", "①"),  # NEC row 13: Python's iso2022_jp refuses it
        (b"\x1b$B3t<02q<R-j\x1b(B", "株式会社㈱"),
        (b"\x1b$B-!", "①"),  # no way back to ASCII at the end
        (b"\x1b(I1\x1b(B", "ｱ"),  # half-width kana in seven bits
        (b"\x1b$(D0!\x1b(B", "丂"),  # JIS X 0212
        (b"\x1b$@<u?.\x1b(J", "受信"),  # JIS C 6226, back to JIS Roman
        (b"\x1b$B<u\x1b(B FAX \x1b$B?.-!\x1b(B", "受 FAX 信①"),
        (b"\xad\xa1\xb3\xf4", "①株"),  # row 13 in EUC-JP
    ],
)
def test_vendor_characters_are_read(raw: bytes, expected: str) -> None:
    assert charset.decode(raw, "euc-jp" if raw[0] > 0x7F else JIS) == expected


def test_raw_jis_run_with_an_encoded_words_look_inside() -> None:
    raw = "西戎".encode(JIS)
    assert b"=?" in raw  # 戎 is 0x3D 0x3F
    assert charset.header(b"FAX " + raw) == "FAX 西戎"


def test_words_stick_to_plain_text() -> None:
    raw = word("受信".encode(), "utf-8")
    assert charset.header(b"FAX:" + raw + b"(1)") == "FAX:受信(1)"
    assert charset.header(b"a " + raw + b" b") == "a 受信 b"
    assert charset.header(raw + b" " + word("通知".encode(JIS), JIS)) == "受信通知"
    assert charset.header(b"=?utf-8*ja?B?5Y+X?=") == "受"  # RFC 2231 section 5
    assert charset.header(b"=?utf-8?B?5Y+X5L+h") == "受信"  # cut short by the machine
    assert charset.header(b"=?x-none?B?!!!?=") == ""


@pytest.mark.parametrize("name", [JIS, "cp932", "euc_jp", "utf-8"])
@given(text=MIXED, data=st.data())
def test_continued_parameters_come_back(name: str, text: str, data: st.DataObject) -> None:
    raw = coded(text, name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=5)))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    sections = [f" filename*{at}*=" + "".join(f"%{byte:02x}" for byte in piece) for at, piece in enumerate(pieces)]
    sections[0] = sections[0].replace("*=", f"*={name}''", 1)
    field = "attachment;\r\n" + ";\r\n".join(data.draw(st.permutations(sections)))
    kind, found = charset.parameters(field)
    assert kind == "attachment"
    assert found == {"filename": text}


@pytest.mark.parametrize("name", ["cp932", "euc_jp", "utf-8", JIS])
def test_raw_names_keep_their_backslashes_and_quotes(name: str) -> None:
    text = "表ソ能予_受信文書.pdf"  # in Shift_JIS the first four end in a backslash; in ISO-2022-JP some hold a quote
    raw = b'application/pdf; name="' + coded(text, name) + b'"; x=y'
    assert charset.parameters(raw.decode("ascii", "surrogateescape")) == ("application/pdf", {"name": text, "x": "y"})


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("text/plain", ("text/plain", {})),
        ("TEXT/Plain; Charset=UTF-8", ("text/plain", {"charset": "UTF-8"})),
        (
            "attachment; filename*=UTF-8''\"%E5%8F%97%E4%BF%A1.tif\"; x=y",  # quoted behind the charset, as some do
            ("attachment", {"filename": "受信.tif", "x": "y"}),
        ),
        ('multipart/mixed; boundary="a;b=\\"c\\""', ("multipart/mixed", {"boundary": 'a;b="c"'})),
        ("multipart/mixed; boundary=----=_Part%9Fx", ("multipart/mixed", {"boundary": "----=_Part%9Fx"})),
        ("image / tiff ; name = a.tif", ("image/tiff", {"name": "a.tif"})),
        ("image/tiff name=a.tif", ("image/tiff", {})),
        ("text/plain (a comment); charset=utf-8", ("text/plain", {"charset": "utf-8"})),
        ('a/b; name="%E5%8F%97.pdf"', ("a/b", {"name": "受.pdf"})),
        ('a/b; name="100%.pdf"', ("a/b", {"name": "100%.pdf"})),
        ('a/b; name="unclosed.pdf', ("a/b", {"name": "unclosed.pdf"})),
        ("a/b; name=x; name*=utf-8''%E5%8F%97", ("a/b", {"name": "受"})),
        ("a/b; =; ;; x; y=1", ("a/b", {"y": "1"})),
        ("", ("", {})),
    ],
)
def test_fields_are_taken_apart(field: str, expected: tuple[str, dict[str, str]]) -> None:
    assert charset.parameters(field) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("C:\\fax\\a.pdf", "a.pdf"), ("../../etc/passwd", "passwd"), (" a\x00b\n.pdf ", "ab.pdf"), ("x" * 300, "x" * 255)],
)
def test_names_have_no_folders_and_no_controls(name: str, expected: str) -> None:
    assert charset.file_name(("attachment", {"filename": name})) == expected


@given(
    st.binary(max_size=300), st.sampled_from([None, JIS, "cp932", "euc-jp", "utf-8", "utf-16", "hz", "gb18030", "x"])
)
def test_any_bytes_decode(raw: bytes, name: str | None) -> None:
    charset.decode(raw, name).encode("utf-8")
    charset.header(raw).encode("utf-8")
    kind, found = charset.parameters(b"a/b; name=" + raw)
    (kind + "".join(found.values())).encode("utf-8")
