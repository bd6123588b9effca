"""`leadflood enrich`: companies and people from domains and email addresses, without a database."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import run
from leadflood.cli.enrich_report import print_record
from leadflood.cli.output import console, note, print_json, visible
from leadflood.kernel.errors import AppError
from leadflood.kernel.tasks import task_group

if TYPE_CHECKING:
    from leadflood.cli.enrich_engine import StandaloneEngine
    from leadflood.cli.enrich_files import WorkingFile
    from leadflood.cli.enrich_records import JsonObject
    from leadflood.kernel.config import Settings

_REFUSED = 1


class EnrichUsage(AppError):
    """The options of the command do not fit together."""

    code = "invalid_usage"
    status = 400
    title = "Invalid usage"


@dataclass(frozen=True)
class EnrichOptions:
    """Options of the command."""

    contact: str
    seconds: float
    concurrency: int
    demo: bool
    as_json: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("enrich")(enrich)


def enrich(  # noqa: PLR0913, PLR0917  each option is a parameter
    targets: list[str] = typer.Argument(None, help="Domains, URLs or email addresses."),
    file: Path | None = typer.Option(None, "--file", help="File with one target per line, or a CSV file."),
    column: str | None = typer.Option(None, "--column", help="Column of the CSV file. Default: found by its name."),
    out: Path | None = typer.Option(
        None, "--out", dir_okay=False, help="File to write: .csv, .jsonl or .parquet. Run again to continue."
    ),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the output file if it exists."),
    contact: str | None = typer.Option(
        None, "--contact", help="Your email or web page, for the owners of the websites that are read."
    ),
    seconds: float = typer.Option(45, "--seconds", min=1, max=600, help="Time limit per person or company."),
    concurrency: int = typer.Option(16, "--concurrency", min=1, max=200, help="Targets at a time."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object per target."),
    demo_internet: bool = typer.Option(
        False, "--demo-internet", help="Ask the small internet that is included, for trying it out without a network."
    ),
) -> None:
    """Find facts about companies and people, each with its source. Needs no database and no server.

    Reads public websites, DNS records and registers, politely: it names itself, obeys robots.txt and waits between
    requests to the same server.

    Exit code 1: nothing was found, or the files cannot be used. An interrupted run with `--out` continues when the
    same command is run again.

    Examples: `leadflood enrich acme.com`, `leadflood enrich --file domains.txt --out companies.parquet`
    """
    from leadflood.cli.validation import load_settings

    settings = load_settings()
    options = EnrichOptions(
        contact=_contact(contact or settings.crawler_contact),
        seconds=seconds,
        concurrency=concurrency,
        demo=demo_internet,
        as_json=as_json,
    )
    lines = _lines(targets or [], file, column)
    _check_output(out, overwrite=overwrite, many=file is not None and not as_json)
    if not options.contact and not demo_internet:
        note("No contact is named to the owners of websites. Add --contact with your email, as some registers require.")
    work = _show(settings, lines, options) if out is None else _write(settings, lines, options, out)
    if not run(work):
        raise typer.Exit(_REFUSED)


def _lines(targets: Sequence[str], file: Path | None, column: str | None) -> list[str]:
    from leadflood.cli.enrich_files import lines_in

    lines = [*targets, *(lines_in(file, column) if file is not None else ())]
    if not lines:
        raise EnrichUsage("Name a domain or an email address, or a file of them with --file.")
    return lines


def _contact(text: str) -> str:
    """An email address or a URL. Raises: EnrichUsage."""
    from leadflood.kernel.email_address import parse_email
    from leadflood.kernel.text import InvalidValue
    from leadflood.kernel.web_address import normalise_website

    if not text:
        return ""
    try:
        return str(parse_email(text)) if "@" in text else normalise_website(text)
    except InvalidValue:
        raise EnrichUsage(f"--contact: {text!r} is neither an email address nor a web address.") from None


def _check_output(out: Path | None, *, overwrite: bool, many: bool) -> None:
    from leadflood.cli.enrich_formats import FORMATS

    if out is None:
        if many:
            raise EnrichUsage("Name a file for the result with --out, or print it with --json.")
        return
    if out.suffix.lower() not in FORMATS:
        raise EnrichUsage(f"--out: the name must end with {', '.join(FORMATS)}.")
    if out.exists() and not overwrite:
        raise EnrichUsage(f"{out} exists. Choose another name, or add --overwrite.")


async def _show(settings: "Settings", lines: Sequence[str], options: EnrichOptions) -> bool:
    """Print the result of each target, in their order. Returns whether anything was found."""
    from leadflood.cli.enrich_engine import open_engine
    from leadflood.cli.enrich_records import FOUND_SOMETHING

    waiting: dict[int, JsonObject] = {}
    ready = iter(range(len(lines)))
    following = next(ready)
    found = False
    async with open_engine(settings, contact=options.contact, demo=options.demo) as engine:
        with _bar(len(lines), 0) as advance:

            def done(place: int, record: "JsonObject") -> None:
                nonlocal following, found
                advance(record)
                found = found or record["status"] in FOUND_SOMETHING
                waiting[place] = record
                while following in waiting:
                    shown = waiting.pop(following)
                    print_json(shown) if options.as_json else print_record(shown)
                    following = next(ready, -1)

            await _enrich_all(engine, list(enumerate(lines)), options, done)
    return found


async def _write(settings: "Settings", lines: Sequence[str], options: EnrichOptions, out: Path) -> bool:
    """Write the results to a file, continuing what an earlier run began. Returns whether anything was found."""
    from leadflood.cli.enrich_files import open_working_file, working_path
    from leadflood.cli.enrich_formats import write_output
    from leadflood.cli.enrich_records import FOUND_SOMETHING

    by_key: dict[str, str] = {}
    for line in lines:
        by_key.setdefault(_key(line), line)
    found = 0
    with open_working_file(out) as working:
        await _fill(settings, working, by_key, options)

        def counted() -> "Iterator[JsonObject]":
            nonlocal found
            for record in working.records(list(by_key)):
                found += record["status"] in FOUND_SOMETHING
                yield record

        write_output(out, counted())
        working_path(out).unlink()
    note(f"Wrote {out}: something was found about {found:,} of {len(by_key):,}.")
    return found > 0


async def _fill(
    settings: "Settings", working: "WorkingFile", lines: "Mapping[str, str]", options: EnrichOptions
) -> None:
    """Complete a working file. Args: lines: of the input, by the key of their target."""
    from leadflood.cli.enrich_engine import open_engine

    left = [key for key in lines if key not in working]
    done_before = len(lines) - len(left)
    if done_before:
        note(f"Continuing: {done_before:,} of {len(lines):,} are done.")
    try:
        async with open_engine(settings, contact=options.contact, demo=options.demo) as engine:
            with _bar(len(lines), done_before) as advance:

                def done(place: int, record: "JsonObject") -> None:
                    working.add(left[place], record)
                    advance(record)

                await _enrich_all(engine, [(place, lines[key]) for place, key in enumerate(left)], options, done)
    except asyncio.CancelledError:
        count = sum(key in working for key in lines)
        note(f"Stopped: {count:,} of {len(lines):,} are done. Run the same command to continue.")
        raise


def _key(line: str) -> str:
    """Equal for all spellings of the same target; an invalid line is its own key."""
    from leadflood.domains.enrichment.engine.profiles import parse_target
    from leadflood.kernel.text import InvalidValue

    try:
        return parse_target(line).key
    except InvalidValue:
        return f"invalid {line}"


async def _enrich_all(
    standalone: "StandaloneEngine",
    lines: Sequence[tuple[int, str]],
    options: EnrichOptions,
    done: "Callable[[int, JsonObject], None]",
) -> None:
    """Enrich numbered lines, some at a time. Args: done: called with each number and record as it is ready."""
    waiting = iter(lines)

    async def work() -> None:
        for place, line in waiting:
            done(place, await _record(standalone, line, options))

    async with task_group() as group:
        for _ in range(min(options.concurrency, len(lines))):
            group.create_task(work())


async def _record(standalone: "StandaloneEngine", line: str, options: EnrichOptions) -> "JsonObject":
    from leadflood.cli.enrich_records import invalid_record, profile_record
    from leadflood.domains.enrichment.engine.profiles import ProfileRequest, build_profile, parse_target
    from leadflood.kernel.text import InvalidValue

    try:
        target = parse_target(line)
    except InvalidValue as error:
        return invalid_record(line, str(error))
    request = ProfileRequest(standalone.policy, timedelta(seconds=options.seconds))
    return profile_record(line, await build_profile(standalone.engine, target, request))


@contextmanager
def _bar(total: int, done: int) -> "Iterator[Callable[[JsonObject], None]]":
    """A progress bar on standard error, if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("enriched"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console(sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=total, completed=done)

        def advance(record: "JsonObject") -> None:
            bar.update(task, advance=1, description=visible(record["input"])[:40])

        yield advance
