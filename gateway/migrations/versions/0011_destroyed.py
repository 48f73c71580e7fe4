"""Destroying what a misdirected fax said; advertising apart from the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Step up."""
    op.add_column("fax", sa.Column("destroyed_at", sa.DateTime(), nullable=True))
    op.add_column("fax", sa.Column("apart_since", sa.DateTime(), nullable=True))
    op.create_table(
        "doomed",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["fax_id"], ["fax.id"]),
        sa.PrimaryKeyConstraint("digest", "fax_id"),
    )
    op.create_index(op.f("ix_doomed_fate"), "doomed", ["fate"], unique=False)
