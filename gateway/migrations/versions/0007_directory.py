"""The directory of senders: institutions, their numbers, and what may be learned from faxes that came."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Step up."""
    op.add_column("fax", sa.Column("unopened", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("fax", sa.Column("institution", sa.String(), nullable=True))
    op.add_column("fax", sa.Column("sender_known", sa.JSON(), nullable=False, server_default="{}"))
    known = sa.text("institution IS NOT NULL")
    op.create_index("fax_institution", "fax", ["institution"], unique=False, sqlite_where=known, postgresql_where=known)
    op.create_table(
        "institution",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bureau", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("tsis", sa.JSON(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "institution_number",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("institution_id", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("number", "institution_id"),
    )
    op.create_index(
        op.f("ix_institution_number_institution_id"), "institution_number", ["institution_id"], unique=False
    )
    op.create_table(
        "sighting",
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tsi", sa.String(), nullable=False),
        sa.Column("refused_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["fax_id"], ["fax.id"]),
        sa.PrimaryKeyConstraint("fax_id"),
    )
    op.create_index("sighting_of", "sighting", ["number", "name"], unique=False)
