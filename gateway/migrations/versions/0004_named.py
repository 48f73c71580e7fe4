"""What names bytes in the spool is found without a look through every row: the sweep asks for each of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Step up."""
    whole = sa.text("content <> sha256")
    op.create_index("fax_whole", "fax", ["content"], unique=False, sqlite_where=whole, postgresql_where=whole)
    op.create_index("page_picture", "page", ["png"], unique=False)
