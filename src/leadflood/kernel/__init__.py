"""What every part stands on: settings, errors, identity of the caller, database, queue, outbox, observability."""
