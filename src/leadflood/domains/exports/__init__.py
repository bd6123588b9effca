"""Leads as CSV, XLSX, NDJSON or Parquet, downloaded or prepared by a job."""
