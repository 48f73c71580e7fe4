"""What every inbox asks for is found by an index: what waits for a sink, advertising, what machines tell."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Step up."""
    op.create_index("delivery_state", "delivery", ["state", "sink", "updated_at"], unique=False)
    op.drop_index(op.f("ix_delivery_sink"), table_name="delivery")
    there, notice = sa.text("apart_since IS NOT NULL"), sa.text("kind <> 'fax'")
    op.create_index("fax_apart", "fax", ["accepted_at", "id"], unique=False, sqlite_where=there, postgresql_where=there)
    op.create_index(
        "fax_notice", "fax", ["kind", "accepted_at"], unique=False, sqlite_where=notice, postgresql_where=notice
    )
