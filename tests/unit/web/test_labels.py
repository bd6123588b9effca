"""Labels of what domains declare by name."""

from importlib import import_module

from leadflood.bootstrap import DOMAINS
from leadflood.domains.jobs.models import JobKind
from leadflood.web import labels


def test_every_kind_of_job_has_a_label() -> None:
    kinds = [
        value.name
        for domain in DOMAINS
        for value in vars(import_module(f"leadflood.domains.{domain.name}.events")).values()
        if isinstance(value, JobKind)
    ]

    assert len(kinds) > 20
    assert [kind for kind in kinds if labels.job(kind) == labels.unknown_job(kind)] == []
