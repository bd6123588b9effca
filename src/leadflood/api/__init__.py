"""The JSON edge: parses requests, calls domains, and builds responses."""
