"""Leads as CSV, NDJSON or Parquet, downloaded or prepared by a job."""
