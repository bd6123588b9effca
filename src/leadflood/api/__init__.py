"""The JSON edge: parse, call a domain, shape the answer."""
