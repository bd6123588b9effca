"""Seniority and function of a person, from the job title."""

from leadflood.domains.enrichment.sources.job_title.source import JobTitle

__all__ = ["JobTitle"]
