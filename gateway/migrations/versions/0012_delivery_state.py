"""What waits for a sink, and when a sink last took anything, are found without going over all deliveries."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Step up."""
    op.create_index("delivery_state", "delivery", ["state", "sink", "updated_at"], unique=False)
    op.drop_index(op.f("ix_delivery_sink"), table_name="delivery")
