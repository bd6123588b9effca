"""Settings, read once from the environment (`LEADFLOOD_…`) or a `.env` file and then passed in.

`docs/reference/settings.md` and `.env.example` are generated from this class.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """Where the program runs. `development` allows the demo user and prints readable logs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def default_home() -> Path:
    """The data folder when `LEADFLOOD_HOME` is not set.

    Root's own folders are closed to the unprivileged account that PostgreSQL has to run as, hence /var/lib.
    """
    return Path("/var/lib/leadflood") if os.geteuid() == 0 else user_data_path("leadflood")


Seconds = Annotated[float, Field(gt=0)]


JOB_PROCESSES = ("worker", "isolated jobs")
"""The processes that run jobs. Their statements may take longer; they wait for locks no longer than others."""


class Settings(BaseSettings):
    """All settings of LEAD-FLOOD."""

    model_config = SettingsConfigDict(
        env_prefix="LEADFLOOD_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    env: Environment = Field(
        Environment.DEVELOPMENT, description="`development` or `production`. Production refuses the demo user."
    )
    home: Path = Field(
        default_factory=default_home, description="Data folder: embedded database, secret key, sockets, lock."
    )
    release: str = Field("", description="Name of the running release, such as its image digest; `/health` shows it.")
    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: int = Field(5050, ge=0, le=65535, description="Port that the API listens on.")
    api_processes: int = Field(
        1, ge=1, le=64, description="API processes that `up` runs on the port. More than one use more than one core."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use, as `postgresql://…`. Empty: an embedded one in the data folder."
    )
    migrate_database_url: SecretStr | None = Field(
        None, description="PostgreSQL address for `migrate`, where another login owns the tables. Empty: DATABASE_URL."
    )
    queue_database_url: SecretStr | None = Field(
        None, description="PostgreSQL that carries the queue. Empty: the application's own, in the same transaction."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Connections each process keeps to the database.")
    request_timeout: Seconds = Field(
        10,
        description="Seconds in which a request is answered, apart from its body; then 503. Uploads, streams and "
        "downloads have limits of their own.",
    )
    statement_timeout: Seconds = Field(15, description="Seconds after which PostgreSQL cancels a statement.")
    job_statement_timeout: Seconds = Field(
        60, description="Seconds after which PostgreSQL cancels a statement of a background job."
    )
    secret_key: SecretStr | None = Field(
        None, min_length=32, description="Key for cursors and stored answers. Empty: made by `up` in the data folder."
    )
    instance_id: str = Field(
        "",
        description="Name of this installation, the same for all its processes and another one for each copy of it. "
        "Empty: derived from the secret key, or kept in the data folder with an embedded database.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console`, `json`, or `auto`: console on a terminal, else JSON."
    )
    access_token_seconds: int = Field(900, ge=1, description="Life of an access token.")
    web_reload: bool = Field(
        default=False, description="Look at templates and front-end parts again with each page; to develop the program."
    )
    refresh_token_seconds: int = Field(2_592_000, ge=1, description="Life of a refresh token without use.")
    web_session_seconds: int = Field(1_209_600, ge=120, description="Life of a browser's session without use.")
    session_lifetime_seconds: int = Field(
        2_592_000, ge=120, description="Longest life of a session, however much it is used; then one signs in again."
    )
    login_attempts: int = Field(
        10,
        ge=1,
        description="Failed logins per 15 minutes: of each known device of an account, and of all others together; "
        "five times that per address.",
    )
    rate_limit_per_minute: int = Field(
        60_000, ge=1, description="Requests a minute per API key or session, counted in each API process."
    )
    anonymous_limit_per_minute: int = Field(
        1200,
        ge=1,
        description="Pages and API requests without a valid credential a minute per address, counted in each process.",
    )
    page_limit_per_minute: int = Field(
        3000, ge=1, description="Pages and parts of pages a minute per browser session, counted in each process."
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest request body, in bytes.")
    max_import_bytes: int = Field(2_147_483_648, ge=1024, description="Largest file that can be imported, in bytes.")
    max_uncommitted_import_bytes: int = Field(
        10_737_418_240, ge=1024, description="Bytes that all uncommitted files of a workspace may have together."
    )
    parse_processes: int = Field(
        3,
        ge=1,
        le=64,
        description="Processes that read imported files at a time, for each API process and worker. One workspace gets "
        "all but one of them.",
    )
    max_batch_bytes: int = Field(
        16_777_216, ge=1024, description="Largest body of a request with many leads, in bytes."
    )
    live_streams_per_person: int = Field(
        10, ge=1, description="Pages that one person sees live at a time; beyond, the oldest pauses."
    )
    live_streams_per_workspace: int = Field(
        100, ge=1, description="Pages that one workspace sees live at a time, in each API process."
    )
    live_streams_per_process: int = Field(500, ge=1, description="Pages that one API process keeps live at a time.")
    trusted_proxies: str = Field(
        "", description="Comma-separated addresses whose `X-Forwarded-For` and `-Proto` are believed. Empty: none."
    )
    worker_concurrency: int = Field(
        200,
        ge=1,
        le=2000,
        description="Jobs that one worker runs at a time, and as many in each group of those it does together.",
    )
    worker_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port on which a worker serves its own Prometheus metrics. 0: it does not."
    )
    job_lease: Seconds = Field(15, description="Seconds until the jobs of a silent worker run elsewhere.")
    poll_interval: Seconds = Field(5, description="Longest wait of relay, rescue and consumer without a notification.")
    drain_timeout: Seconds = Field(25, description="Seconds that a stopping worker gives its running jobs.")
    enrichment_adapters: str = Field(
        "email_insight", description="Comma-separated adapters to run, in order: `email_insight`, `simulated`."
    )
    simulated_latency: float = Field(2, ge=0, description="Seconds that the `simulated` adapter takes.")
    simulated_failure_rate: float = Field(0, ge=0, le=1, description="Share of `simulated` calls that fail.")
    simulated_failure_kind: Literal["retryable", "terminal"] = Field(
        "retryable", description="How the `simulated` adapter fails."
    )
    public_url: str = Field(
        "", description="Address that links in mails carry: `https://leads.acme.com`. Empty: `http://` HOST and PORT."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server, as `smtp://user:password@host:587` or `smtps://…`. Empty: `up` catches mails in "
        "development; else none leaves.",
    )
    mail_from: str = Field("LEAD-FLOOD <no-reply@leadflood.local>", description="Sender of mails.")
    mail_port: int = Field(
        5025, ge=0, le=65535, description="Port of the development mail catcher, on 127.0.0.1. 0: any free one."
    )
    audit_retention_days: int = Field(
        730, ge=90, description="Days that the audit log is kept. What is older is removed, and that is recorded."
    )
    job_retention_days: int = Field(
        90,
        ge=40,
        description="Days that finished jobs and dead-lettered outbox events are kept. Timelines of leads stay.",
    )
    lead_retention_days: int = Field(30, ge=1, description="Days to restore a deleted lead or undo a change.")

    def statement_timeout_of(self, process: str) -> float:
        """Seconds for a statement of a process: in the API, so that it ends before the request does."""
        if process == "api":
            return min(self.statement_timeout, 0.8 * self.request_timeout)
        return self.job_statement_timeout if process in JOB_PROCESSES else self.statement_timeout

    @property
    def is_production(self) -> bool:
        """Whether what is for development alone is refused."""
        return self.env is Environment.PRODUCTION
