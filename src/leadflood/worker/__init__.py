"""The job edge: consumes the queue, relays the outbox, runs schedules, rescues lost jobs."""
