"""A document inside a fax that another department has got stands in an entry of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Step up."""
    there = sa.text("taken_from IS NOT NULL")
    op.add_column("fax", sa.Column("taken_from", sa.String(), nullable=True))
    op.create_index("fax_taken", "fax", ["taken_from"], unique=False, sqlite_where=there, postgresql_where=there)
