"""What crosses the border of changes of an address."""

from datetime import datetime

from leadflood.kernel.schema import View


class EmailChangeView(View):
    """A change that waits for its confirmation. Its link is in the mail alone."""

    email: str
    former_email: str
    last_sent_at: datetime
    expires_at: datetime
    last_error: str | None
    """Why the latest mail was not sent."""
