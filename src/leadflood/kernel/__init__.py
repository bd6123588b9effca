"""Foundation of all parts: settings, errors, identity of the caller, database, queue, outbox, observability."""
