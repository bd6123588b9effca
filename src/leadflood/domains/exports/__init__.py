"""Leads go out: any filtered view as CSV, NDJSON or Parquet, at once or as a file that a job writes."""
