"""The domains. A domain calls the domains below it and informs those above through events."""
