"""The job title source: what the words of a title mean. Instant."""

from datetime import timedelta

from leadflood.domains.enrichment.models import Answer, Fetcher, Question, SourceSpec, Speed, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.kernel.job_titles import title_meaning


class JobTitle:
    """Reads a job title in ten languages."""

    spec = SourceSpec(
        name="job_title",
        version="1",
        label="Job title",
        subject=SubjectKind.LEAD,
        speed=Speed.INSTANT,
        needs=(frozenset({fields.JOB_TITLE}),),
        gives=frozenset({fields.SENIORITY, fields.JOB_FUNCTION}),
        family="job_title",
        ttl_hit=timedelta(days=365),
        ttl_miss=timedelta(days=365),
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  it is asked like all sources
        """The seniority and the function. Never raises."""
        title = question.text(fields.JOB_TITLE) or ""
        meaning, collected = title_meaning(title), CollectedFacts(question.asked_at)
        for field, value, word in (
            (fields.SENIORITY, meaning.seniority, meaning.seniority_word),
            (fields.JOB_FUNCTION, meaning.function, meaning.function_word),
        ):
            collected.add(field, value, 0.85, "title_words", f"The title says \u201c{word}\u201d.", quote=title)
        return collected.answer("The job title names neither level nor function.")
