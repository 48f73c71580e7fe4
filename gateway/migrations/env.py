"""Run by alembic: walks the versions on the connection it is handed."""

from alembic import context
from sqlmodel import SQLModel

from gateway import models  # noqa: F401 - makes the tables known

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
