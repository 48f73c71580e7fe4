"""Repeats known by what is on their pages, and parts of split mails known by more than their id."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Step up."""
    for column in ("enclosed", "pictures", "said"):
        op.add_column("fax", sa.Column(column, sa.String(), nullable=True))
    for column in ("bits", "fingerprint"):
        op.add_column("page", sa.Column(column, sa.String(), nullable=False, server_default=""))
    for name, column in (("enclosed", "enclosed"), ("pictures", "pictures"), ("joined", "joined_into")):
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"fax_{name}", "fax", [column], unique=False, sqlite_where=there, postgresql_where=there)
    op.create_index("fax_of_line", "fax", ["line", "accepted_at"], unique=False)
    op.drop_index(op.f("ix_fax_line"), "fax")
    op.add_column("part", sa.Column("style", sa.String(), nullable=False, server_default="partial"))
    op.add_column("part", sa.Column("sender", sa.String(), nullable=False, server_default=""))
    op.add_column("part", sa.Column("caller", sa.String(), nullable=True))
    op.add_column("part", sa.Column("told_at", sa.DateTime(), nullable=True))
    op.add_column("part", sa.Column("enclosed", sa.String(), nullable=False, server_default=""))
    op.add_column("part", sa.Column("standing", sa.String(), nullable=False, server_default="waiting"))
    op.create_index(op.f("ix_part_standing"), "part", ["standing"], unique=False)
    op.execute(
        "UPDATE part SET sender = (SELECT sender FROM fax WHERE fax.id = part.fax_id),"
        " caller = (SELECT caller FROM fax WHERE fax.id = part.fax_id)"
    )
    op.execute("UPDATE part SET standing = 'whole' WHERE fax_id IN (SELECT id FROM fax WHERE content <> sha256)")
    op.execute("UPDATE part SET standing = 'joined' WHERE fax_id IN (SELECT id FROM fax WHERE joined_into IS NOT NULL)")
    op.create_table(
        "likeness",
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["fax_id"], ["fax.id"]),
        sa.ForeignKeyConstraint(["other_id"], ["fax.id"]),
        sa.PrimaryKeyConstraint("fax_id", "other_id"),
    )
    op.create_index(op.f("ix_likeness_other_id"), "likeness", ["other_id"], unique=False)
