"""A chain over the events, and sealed cases of misdirected faxes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Step up."""
    op.create_table(
        "chain",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("event_id"),
    )
    op.create_index(op.f("ix_chain_at"), "chain", ["at"], unique=False)
    op.add_column("fax", sa.Column("sealed", sa.String(), nullable=True))
    there = sa.text("sealed IS NOT NULL")
    op.create_index("fax_sealed", "fax", ["sealed"], unique=False, sqlite_where=there, postgresql_where=there)
    op.create_table(
        "sealed_case",
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("called_at", sa.DateTime(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("leaked_at", sa.DateTime(), nullable=True),
        sa.Column("reported_at", sa.DateTime(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["fax_id"], ["fax.id"]),
        sa.PrimaryKeyConstraint("fax_id"),
    )
    op.create_index(op.f("ix_sealed_case_closed_at"), "sealed_case", ["closed_at"], unique=False)
