"""Permissions of the jobs domain."""

from leadflood.kernel.actor import Permission, Role

_JOBS = "background jobs"
_OUTBOX = "event delivery"

JOBS_READ = Permission.declare("jobs:read", Role.VIEWER, label="View jobs and their errors", area=_JOBS)
JOBS_WRITE = Permission.declare("jobs:write", Role.MEMBER, label="Retry and cancel jobs", area=_JOBS)
OUTBOX_READ = Permission.declare("outbox:read", Role.ADMIN, label="View pending events", area=_OUTBOX)
OUTBOX_WRITE = Permission.declare("outbox:write", Role.ADMIN, label="Retry failed events", area=_OUTBOX)
EVENTS_READ = Permission.declare("events:read", Role.VIEWER, label="Read events")
PERMISSIONS = (JOBS_READ, JOBS_WRITE, OUTBOX_READ, OUTBOX_WRITE, EVENTS_READ)
