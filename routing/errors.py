"""What can go wrong in routing.

RoutingError          every error knows `again` (worth another try) and what a person can do (`advice`)
├── ListError         a list of the field (document types, diseases) cannot be used as it stands
├── ModelError        a learned model or its examples are damaged or of another version
└── DeliveryError     a carrier could not hand over a copy (stands in :mod:`routing.delivery`)
"""

from __future__ import annotations

from collections.abc import Sequence


class RoutingError(Exception):
    """Base of all routing errors. ``str(error)`` is a sentence for staff, in Japanese, without internals."""

    again = False
    advice = "管理者に連絡してください。"


class ListError(RoutingError):
    """A CSV list has mistakes. ``mistakes`` names every bad row, so that one correction round is enough."""

    advice = "一覧のCSVファイルを直してから、もう一度 `faxless check` を実行してください。"

    def __init__(self, file: str, mistakes: Sequence[str]) -> None:
        self.file = file
        self.mistakes = tuple(mistakes)
        super().__init__(f"一覧「{file}」に誤りがあります。\n" + "\n".join(f"- {mistake}" for mistake in mistakes))


class ModelError(RoutingError):
    """A file is no learned model of this version, or its examples are damaged."""

    advice = "`faxless learn --back` で前のモデルに戻すか、faxless を入れ直してください。"

    def __init__(self) -> None:
        super().__init__("学習したモデルのファイルが壊れているか、別の版のものです (the learned model is damaged)")
