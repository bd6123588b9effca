"""Inputs and outputs of email changes."""

from datetime import datetime

from leadflood.kernel.schema import View


class EmailChangeView(View):
    """A pending change. Its link is only in the email."""

    email: str
    former_email: str
    last_sent_at: datetime
    expires_at: datetime
    last_error: str | None
    """Reason why the latest email was not sent."""
