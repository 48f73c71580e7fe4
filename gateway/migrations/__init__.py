"""The tables' history. Each step up is a file in ``versions``; alembic walks them at every start."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Bring the database to the tables that this version knows, or to those of an earlier step."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def revision(connection: sa.Connection) -> str:
    """The step that a database stands at; empty when it has no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def knows(step: str) -> bool:
    """Whether this version has walked that step."""
    try:
        return bool(step) and ScriptDirectory.from_config(_config()).get_revision(step) is not None
    except CommandError:
        return False


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
