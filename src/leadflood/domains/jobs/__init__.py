"""Asynchronous work: the durable truth of every job, the outbox that announces it, and what workers do to it."""
