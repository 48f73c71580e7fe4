"""What stands on a page beside its words: marks, tables, stamps, the sending machine's line, and what the page is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Step up; pages that were read before have none of it."""
    op.add_column("page", sa.Column("kind", sa.String(), nullable=False, server_default="content"))
    op.add_column("page", sa.Column("tti", sa.JSON(), nullable=False, server_default="{}"))
    for name in ("marks", "tables", "stamps"):
        op.add_column("page", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
