"""Alerts of urgent faxes, and their messages among what is on its way to sinks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Step up."""
    op.add_column("delivery", sa.Column("step", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "alert",
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("stepped_at", sa.DateTime(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("opened_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["fax_id"], ["fax.id"]),
        sa.PrimaryKeyConstraint("fax_id"),
    )
    op.create_index(op.f("ix_alert_next_at"), "alert", ["next_at"], unique=False)
