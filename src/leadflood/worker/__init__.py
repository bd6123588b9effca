"""The edge that runs jobs: consumes the queue, relays the outbox, keeps the schedules, rescues the lost."""
