"""Jobs that wait for a worker: until now the door and the pages wrote into the engine's own tables."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Step up."""
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fax_id", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_job_fax_id"), "job", ["fax_id"], unique=False)
