"""Declaration of a domain. `bootstrap` composes the domains from these; the kernel names none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadflood.kernel.actor import Permission
from leadflood.kernel.changesets import ChangesetSubject
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import Sql
from leadflood.kernel.door.door import Door
from leadflood.kernel.events import EventType, Subscription
from leadflood.kernel.extensions import Extension, HomePanel
from leadflood.kernel.filters import FilterField
from leadflood.kernel.mail import Mailer
from leadflood.kernel.metrics import Metric
from leadflood.kernel.pages import AuditGroup, NavCount, NavItem, TimelineKind
from leadflood.kernel.sandbox.pool import Sandbox
from leadflood.kernel.sealed_columns import SealedColumn
from leadflood.kernel.subjects import Participant, Participants


@dataclass(frozen=True, slots=True)
class Services:
    """Resources of a process that jobs may need."""

    settings: Settings
    database: Database
    sandbox: Sandbox
    mailer: Mailer
    secret_box: SecretBox
    door: Door
    public_url: str
    participants: Participants
    converters: Mapping[str, Any]


def _no_jobs(_services: Services) -> Sequence[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain. Types of higher packages are opaque here; the module that declares them checks them.

    Attributes:
        name: of its folder.
        jobs: makes the definitions of its kinds of jobs (`JobDefinition`).
        schedules: the jobs that run again and again (`Schedule`).
        changesets: how changesets of its subjects are undone.
        participants: what it has about subjects such as leads.
        filters: what subjects of other domains can be filtered by, by kind of subject.
        extensions: extensions of subjects of other domains, by kind of subject.
        home: panels of the home page.
        converters: converts stored values of custom fields (`Converter`), by kind of subject.
        events: the types of what happens to its subjects.
        subscriptions: to events, its own and those of domains below it.
        routes: modules with a `router` of the API. Like those of pages, only what serves HTTP imports them.
        pages: modules with `pages`.
        templates: the package whose folder `templates` the pages use, where it is not the one of `web`.
        navigation: its items in the sidebar, the settings and the command palette.
        nav_counts: numbers beside items of the navigation.
        timeline: kinds of entries that it adds to timelines.
        audit: display of its entries in the audit log.
        metrics: numbers of a workspace over time.
        permissions: that it declares, each with the least role that has it.
        sealed: its columns that are encrypted with the secret key.
        stakes: reads what depends on answers of paid sources (`ReadStakes`).
        actor_names: statements with `id` and `name` of what acts in the name of the system, for `:workspace_id` and
            `:ids`.
    """

    name: str
    jobs: Callable[[Services], Sequence[Any]] = _no_jobs
    schedules: Sequence[Any] = ()
    changesets: Sequence[ChangesetSubject] = ()
    participants: Sequence[Participant] = ()
    filters: Mapping[str, Sequence[FilterField]] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    home: Sequence[HomePanel] = ()
    converters: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[EventType[Any]] = ()
    subscriptions: Sequence[Subscription[Any]] = ()
    routes: Sequence[str] = ()
    pages: Sequence[str] = ()
    templates: str | None = None
    navigation: Sequence[NavItem] = ()
    nav_counts: Sequence[NavCount] = ()
    timeline: Sequence[TimelineKind] = ()
    audit: Sequence[AuditGroup] = ()
    metrics: Sequence[Metric] = ()
    permissions: Sequence[Permission] = ()
    sealed: Sequence[SealedColumn] = ()
    stakes: Any = None
    actor_names: Sequence[Sql] = ()
