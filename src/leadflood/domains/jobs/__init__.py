"""Background jobs, their outbox and their schedules."""
