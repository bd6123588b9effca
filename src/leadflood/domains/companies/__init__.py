"""Companies: one record for each company, found by its domains, and the leads that belong to it."""
