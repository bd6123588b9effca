"""`leadflood source test`: one call of a source, with what it sent, the reply, and the values in it."""

from typing import TYPE_CHECKING, Final

import typer

from leadflood.cli.context import open_context, run
from leadflood.cli.listing import AS_JSON, WORKSPACE
from leadflood.cli.output import TableColumn, note, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.domains.enrichment.contracts import SourceStepView
    from leadflood.domains.enrichment.contracts.source_tests import SourceTestView

_ANSWERED: Final = ("found", "missed")


def ask_once(
    name: str = typer.Argument(help="Name of the source, such as hunter_email_verifier."),
    about: str = typer.Argument(metavar="EMAIL|DOMAIN", help="Email of a lead, or domain of a company."),
    wait: bool = typer.Option(True, "--wait/--no-wait", help="Wait for the answer, then show it."),
    workspace: str | None = WORKSPACE,
    as_json: bool = AS_JSON,
) -> None:
    """Ask a source once, which may cost as much as one call. It need not be enabled, and the answer is kept.

    Exits with 0 only if it answered.

    Example: `leadflood source test hunter_email_verifier ada@acme.com`
    """

    async def work() -> None:
        from leadflood.cli.progress import follow, open_reporter
        from leadflood.cli.validation import checked
        from leadflood.domains.enrichment.contracts.source_tests import StartSourceTest
        from leadflood.domains.enrichment.queries.source_tests import latest_test
        from leadflood.domains.enrichment.service import source_tests

        command = checked(StartSourceTest, {"about": about})
        async with open_context(workspace) as context:
            async with context.transaction() as tx:
                made = await source_tests.start(tx, context.actor, source=name, command=command, trace={})
            if wait:
                async with open_reporter(silent=as_json) as screen:
                    await follow(context, made.job_id, screen, timeout=None)
                async with context.transaction(read_only=True) as tx:
                    made = await latest_test(tx, context.actor, source=name)
        if as_json:
            print_json(made)
        elif made.step is None:
            note(f"Test queued (job {made.job_id}).")
        else:
            _print(made, made.step)
        if made.step is not None and made.step.state not in _ANSWERED:
            raise typer.Exit(1)

    run(work())


def _print(made: "SourceTestView", step: "SourceStepView") -> None:
    for call in made.calls:
        say(f"{call.method} {call.url}")
        for header, value in call.headers.items():
            say(f"{header}: {value}")
        if call.body is not None:
            say(call.body)
        say()
        say(f"{call.status or 'No reply'}")
        say(call.reply)
        say()
    cost = f"{step.cost_micros / 1_000_000:.6g} {step.currency}" if step.cost_micros else "nothing"
    print_facts([("state", step.state), ("answer", step.message), ("cost", cost), ("stored", step.stored)])
    if made.values:
        columns = [TableColumn("field"), TableColumn("value"), TableColumn("confidence")]
        print_table(columns, [(item.field, str(item.value), f"{item.confidence:.2f}") for item in made.values])
