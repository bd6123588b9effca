"""Settings, read once from the environment (`LEADFLOOD_…`) or a `.env` file and then passed as arguments.

`docs/reference/settings.md` and `.env.example` are generated from this class.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """Environment in which the program runs. `development` allows the demo user and prints readable logs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def default_home() -> Path:
    """The data folder when `LEADFLOOD_HOME` is not set.

    Root's own folders are closed to the unprivileged account that PostgreSQL has to run as, hence /var/lib.
    """
    return Path("/var/lib/leadflood") if os.geteuid() == 0 else user_data_path("leadflood")


_MIN_SECRET_KEY = 32


def _listed(text: str) -> tuple[str, ...]:
    """The items of a comma-separated setting."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


Seconds = Annotated[float, Field(gt=0)]


JOB_PROCESSES = ("worker", "isolated jobs")
"""The processes that run jobs. Their statements may take longer, but they wait for locks no longer than others."""


class Settings(BaseSettings):
    """All settings of LEAD-FLOOD."""

    model_config = SettingsConfigDict(
        env_prefix="LEADFLOOD_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    env: Environment = Field(
        Environment.DEVELOPMENT, description="`development` or `production`. Production refuses the demo user."
    )
    home: Path = Field(
        default_factory=default_home, description="Data folder with the embedded database, secret key and sockets."
    )
    release: str = Field("", description="Name of the running release, e.g. its image digest. Shown by `/health`.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(5050, ge=0, le=65535, description="Port to listen on.")
    api_processes: int = Field(
        1, ge=1, le=64, description="Number of API processes that `up` runs, e.g. one per CPU core."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL, `postgresql://…`. Empty: embedded PostgreSQL in the data folder."
    )
    migrate_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL for `migrate`, if another role owns the tables. Empty: same as DATABASE_URL."
    )
    queue_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL of a separate queue database. Empty: the queue is in the main database."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Database pool size per process.")
    request_timeout_seconds: Seconds = Field(
        10,
        description="Request timeout in seconds, not counting the upload of the body. Uploads, streams and "
        "downloads have their own limits.",
    )
    statement_timeout_seconds: Seconds = Field(15, description="Statement timeout in seconds.")
    job_statement_timeout_seconds: Seconds = Field(60, description="Statement timeout of background jobs, in seconds.")
    secret_key: SecretStr | None = Field(
        None,
        min_length=_MIN_SECRET_KEY,
        description="Key for links in emails, cursors, stored responses and stored credentials. Empty: created in the"
        " data folder by `up`.",
    )
    secret_key_fallbacks: SecretStr | None = Field(
        None,
        description="Comma-separated former secret keys. They still open what they have encrypted, until"
        " `leadflood secret rotate` reports that nothing is left.",
    )
    instance_id: str = Field(
        "",
        description="Name of this installation: the same for all its processes, different for each copy. Empty: "
        "derived from the secret key, or stored in the data folder with the embedded database.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Minimum log level. `leadflood up` uses `warning` unless this is set."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Log format. `auto`: `console` on a terminal, otherwise `json`."
    )
    access_token_seconds: int = Field(900, ge=1, description="Access token lifetime.")
    web_reload: bool = Field(default=False, description="Reload templates and assets on every request (development).")
    refresh_token_seconds: int = Field(2_592_000, ge=1, description="Refresh token idle lifetime.")
    web_session_seconds: int = Field(1_209_600, ge=120, description="Browser session idle lifetime.")
    session_lifetime_seconds: int = Field(2_592_000, ge=120, description="Maximum session lifetime.")
    max_login_attempts: int = Field(
        10,
        ge=1,
        description="Failed sign-ins per 15 minutes before a lockout: per known device of an account, and for all"
        " other devices together. Five times as many per IP address.",
    )
    rate_limit_per_minute: int = Field(
        60_000, ge=1, description="API requests per minute and API key or session, per process."
    )
    anonymous_limit_per_minute: int = Field(
        1200,
        ge=1,
        description="Unauthenticated requests per minute and IP address, per process.",
    )
    page_limit_per_minute: int = Field(
        3000, ge=1, description="Page requests per minute and browser session, per process."
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Maximum request body, in bytes.")
    max_import_bytes: int = Field(2_147_483_648, ge=1024, description="Maximum import file, in bytes.")
    max_uncommitted_import_bytes: int = Field(
        10_737_418_240, ge=1024, description="Maximum total of a workspace's uncommitted import files, in bytes."
    )
    parse_processes: int = Field(
        3,
        ge=1,
        le=64,
        description="Maximum processes that parse import files, per API process and worker. One workspace can use"
        " all but one of them.",
    )
    max_batch_bytes: int = Field(16_777_216, ge=1024, description="Maximum request body of a batch of leads, in bytes.")
    live_streams_per_person: int = Field(
        10, ge=1, description="Maximum live pages per user. Above it, the oldest is paused."
    )
    live_streams_per_workspace: int = Field(100, ge=1, description="Maximum live pages per workspace and process.")
    live_streams_per_process: int = Field(500, ge=1, description="Maximum live pages per process.")
    trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks of trusted proxies (`X-Forwarded-For`, "
        "`X-Forwarded-Proto`). Empty: none.",
    )
    worker_concurrency: int = Field(
        200,
        ge=1,
        le=2000,
        description="Concurrent jobs per worker, and per batch of jobs that run together.",
    )
    worker_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port for a worker's Prometheus metrics. 0: disabled."
    )
    job_lease_seconds: Seconds = Field(
        15, description="Job lease timeout (seconds): jobs of an unresponsive worker run elsewhere after it."
    )
    poll_interval_seconds: Seconds = Field(
        5, description="Polling interval in seconds, in case a notification is missed."
    )
    drain_timeout_seconds: Seconds = Field(25, description="Seconds a stopping worker waits for its running jobs.")
    enrichment_sources: str = Field(
        "email_insight,job_title,phone_place,gleif,sec_edgar,website,dns,wikidata,company_place",
        description="Comma-separated sources that workers ask, in order of precedence. About leads: `email_insight`,"
        " `job_title`, `phone_place` (instant, without a network), `email_check` (DNS), `simulated` (for tests). About"
        " their companies: `website`, `dns`, `gleif`, `sec_edgar`, `companies_house`, `wikidata`, `company_place`."
        " With `email_insight,job_title,phone_place` no request leaves.",
    )
    refresh_companies: bool = Field(
        default=True,
        description="Read companies with leads again when their facts are no longer fresh: at most 20 per workspace in"
        " 15 minutes, after all other work. `false`: when their next lead comes.",
    )
    simulated_latency_seconds: float = Field(2, ge=0, description="Duration of a `simulated` call, in seconds.")
    simulated_failure_rate: float = Field(0, ge=0, le=1, description="Fraction of `simulated` calls that fail.")
    simulated_failure_kind: Literal["retryable", "terminal"] = Field(
        "retryable", description="Failure type of the `simulated` source."
    )
    internal_hosts: str = Field(
        "",
        description="Comma-separated hosts of your own network that may be contacted, by feature:"
        " `model=ollama.internal:11434, webhook=10.0.0.5`. Features: `website`, `provider`, `register`, `model`,"
        " `webhook`, `logo`, `oidc`, `smtp_probe`.",
    )
    crawler_contact: str = Field(
        "",
        description="Email or page that website owners can contact about requests of this installation, part of the"
        " user agent. Empty: the email of the first owner.",
    )
    companies_house_key: SecretStr | None = Field(
        None,
        description="Key of the Companies House REST API, which is free. Empty: the British register isn't asked.",
    )
    public_url: str = Field(
        "", description="Public base URL for links in emails, e.g. `https://leads.acme.com`. Empty: `http://HOST:PORT`."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server URL, `smtp://user:password@host:587` or `smtps://…`. Empty: in development, `up`"
        " captures emails; otherwise none are sent.",
    )
    mail_from: str = Field("LEAD-FLOOD <no-reply@leadflood.local>", description="Sender of emails.")
    demo_internet: str = Field(
        "",
        description="Ports of the demo's small internet on 127.0.0.1: HTTP, HTTPS and DNS. Set by `up --demo`; refused"
        " in production. Empty: the real internet.",
    )
    dev_mail_port: int = Field(
        5025, ge=0, le=65535, description="Port of the development mail server on 127.0.0.1. 0: any free port."
    )
    audit_retention_days: int = Field(730, ge=90, description="Days to keep audit events.")
    job_retention_days: int = Field(
        90,
        ge=40,
        description="Days to keep finished jobs and dead-lettered outbox events.",
    )
    lead_retention_days: int = Field(
        30, ge=1, description="Days in which deleted leads can be restored and changes undone."
    )
    event_retention_days: int = Field(
        7, ge=1, description="Days to keep published events and to read them back from the event feed."
    )

    @field_validator("internal_hosts")
    @classmethod
    def _check_internal_hosts(cls, value: str) -> str:
        if value:
            from leadflood.kernel.door.targets import parse_internal_hosts  # noqa: PLC0415  most have none

            parse_internal_hosts(value)
        return value

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _check_fallbacks(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(key) < _MIN_SECRET_KEY for key in _listed(value.get_secret_value())):
            message = f"Each key needs at least {_MIN_SECRET_KEY} characters. Separate keys with commas."
            raise ValueError(message)
        return value

    @property
    def known_secret_key_fallbacks(self) -> tuple[str, ...]:
        """The former secret keys of the settings, in their order."""
        return () if self.secret_key_fallbacks is None else _listed(self.secret_key_fallbacks.get_secret_value())

    def statement_timeout_of(self, process: str) -> float:
        """Statement timeout of a process in seconds: in the API, shorter than the deadline of requests."""
        if process == "api":
            return min(self.statement_timeout_seconds, 0.8 * self.request_timeout_seconds)
        return self.job_statement_timeout_seconds if process in JOB_PROCESSES else self.statement_timeout_seconds

    @property
    def is_production(self) -> bool:
        """Whether development features are refused."""
        return self.env is Environment.PRODUCTION
