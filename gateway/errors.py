"""What can go wrong in the house. Reading and routing have trees of their own (ocr.errors, routing.errors).

GatewayError            knows `again` (worth another try); str() is for the person in front of it
├── ConfigError         config.toml: every mistake of the file at once
├── UsageError          a command was asked for something that is not there
├── SpoolError          the bytes cannot be kept or found
│   ├── SpoolFull       disk full or read-only: try again          (SMTP 451)
│   ├── SpoolAway       the object store does not answer: try again (SMTP 451)
│   └── Missing         these bytes are not here, or are not what they were
├── BeingDestroyed      an equal mail is just being destroyed: come again in some minutes (SMTP 451)
├── Closed              the gateway is stopping: the fax waits for the next start
├── Superseded          another attempt at this fax has taken over: stop writing
├── BadBackup           a backup is damaged, cut off or from a newer version: nothing was written
└── BadTable            a CSV has bad rows: none was taken
"""

from __future__ import annotations


class GatewayError(Exception):
    """Base. ``str(error)`` is a sentence for a person and holds no internals."""

    again = False


class ConfigError(GatewayError):
    """The configuration has mistakes; ``mistakes`` holds a sentence for each."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class UsageError(GatewayError):
    """The thing asked for does not exist or cannot be done."""


class SpoolError(GatewayError):
    """The spool cannot do what was asked."""


class SpoolFull(SpoolError):
    """No room, no right or no disk: the machine is told 451 and tries again."""

    again = True


class SpoolAway(SpoolError):
    """The object store does not answer, or refuses us: nothing is wrong with the bytes, they wait."""

    again = True


class Missing(SpoolError):
    """The spool has no such bytes, or they no longer match their hash."""


class BeingDestroyed(GatewayError):
    """Equal bytes are about to leave the spool: who is told 250 now would find them gone. The machine sends again."""

    again = True


class Closed(GatewayError):
    """The readers were closed while a page was in hand: the gateway is stopping, the fax is as it was."""

    again = True


class Superseded(GatewayError):
    """A younger attempt has taken over this fax; what this one knows must not be written."""


class BadBackup(GatewayError):
    """A backup cannot be believed; nothing of it was written."""


class BadTable(GatewayError):
    """A table handed in for import has mistakes; nothing of it was taken."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
