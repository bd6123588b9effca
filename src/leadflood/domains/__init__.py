"""What LEAD-FLOOD is about. A domain calls those below it and tells those above through events."""
