"""What can go wrong while opening and reading.

ReadingError               every error knows `again` (worth another try) and what a person can do
├── DocumentError          the document itself: never worth another try
│   ├── Encrypted          needs a password
│   ├── Damaged            not what it says it is, or cut off
│   └── TooLarge           more pixels, pages or bytes than the limits allow
└── EngineError            the engine: worth another try
    └── EngineMissing      not installed, or without Japanese data
"""

from __future__ import annotations


class ReadingError(Exception):
    """Base of all reading errors. ``str(error)`` is a sentence for staff, in Japanese, without internals."""

    again = False
    advice = "原本を開いて内容を確認してください。"


class DocumentError(ReadingError):
    """The document cannot be read, however often it is tried."""


class Encrypted(DocumentError):
    """The document is locked by a password that we do not have (an owner password alone does not lock it)."""

    advice = "発信元にパスワードなしでの再送を依頼してください。"


class Damaged(DocumentError):
    """The bytes are cut off or are not a PDF or TIFF."""

    advice = "原本を開き、読めなければ発信元に再送を依頼してください。"


class TooLarge(DocumentError):
    """More pixels, pages or bytes than the limits of :mod:`ocr.read` allow (a bomb, or a drawing plan)."""

    advice = "原本を専用の端末で開いて確認してください。"


class EngineError(ReadingError):
    """The engine failed on this page; the page may be tried again."""

    again = True


class EngineMissing(EngineError):
    """The engine is not installed or has no Japanese data; `faxless check` says so before the first fax."""

    again = False
    advice = "管理者に `faxless check` の実行を依頼してください。"
