"""`leadflood secret …`: replace the secret key without losing encrypted values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from leadflood.cli.context import open_platform, operator, run
from leadflood.cli.listing import AS_JSON
from leadflood.cli.output import TableColumn, note, print_json, print_table, say

if TYPE_CHECKING:
    from leadflood.bootstrap import Platform
    from leadflood.kernel.sealed_columns import SealedColumn, SealedCount

app = typer.Typer(
    help="Rotate the secret key. Former keys remain as fallbacks until all values are re-encrypted.",
    no_args_is_help=True,
)


@app.command("new-key")
def new_key() -> None:
    """Create a new secret key in the data folder. The former key becomes a fallback. Restart all processes afterwards.

    If the key is set in LEADFLOOD_SECRET_KEY, this prints a new value and how to use it.

    Example: `leadflood secret new-key`
    """
    from leadflood.cli.validation import load_settings
    from leadflood.kernel.crypto import new_secret_key
    from leadflood.kernel.secret_key import make_new_key, secret_keys

    settings = load_settings()
    if settings.secret_key is not None:
        note("For all processes, add the current key to LEADFLOOD_SECRET_KEY_FALLBACKS, set LEADFLOOD_SECRET_KEY to")
        note("this new value, and restart. Then run `leadflood secret rotate`.")
        say(new_secret_key())
        return
    secret_keys(settings)  # raises if there is none to replace
    make_new_key(settings.home)
    say(f"New secret key {secret_keys(settings).box.key_id} in {settings.home}. The former key is a fallback.")
    say("Restart LEAD-FLOOD now, then run `leadflood secret rotate`.")


@app.command("status")
def status(as_json: bool = AS_JSON) -> None:
    """Show which keys stored values are encrypted with.

    Example: `leadflood secret status`
    """

    async def work() -> None:
        async with open_platform() as platform:
            _show(platform, await _counts(platform), as_json=as_json)

    run(work())


@app.command("rotate")
def rotate(as_json: bool = AS_JSON) -> None:
    """Re-encrypt all stored values with the current key, and report values that remain on former keys.

    Safe while the system is running, once all processes have the current key. If interrupted, run it again. Exits with
    1 if a value cannot be decrypted with any known key.

    Example: `leadflood secret rotate`
    """

    async def work() -> bool:
        from leadflood import bootstrap
        from leadflood.domains.identity.service import secret_keys

        async with open_platform() as platform:
            done = await secret_keys.rotate(
                platform.database,
                bootstrap.build_hold(platform.settings, platform.database),
                operator(),
                secret_box=platform.secret_box,
                columns=bootstrap.SEALED,
                report=_report,
            )
            counts = await _counts(platform)
            if not as_json:
                say(f"{done} values re-encrypted.")
            _show(platform, counts, as_json=as_json)
            return all(item.key_id == platform.secret_box.key_id for item in counts)

    if not run(work()):
        raise typer.Exit(1)


def _report(column: "SealedColumn", done: int) -> None:
    note(f"{column.name}: {done} re-encrypted")


async def _counts(platform: "Platform") -> "list[SealedCount]":
    from leadflood import bootstrap
    from leadflood.kernel.sealed_columns import count_sealed

    async with platform.database.system(read_only=True) as tx:
        return await count_sealed(tx, bootstrap.SEALED)


def _show(platform: "Platform", counts: "Sequence[SealedCount]", *, as_json: bool) -> None:
    current = platform.secret_box.key_id
    known = {box.key_id for box in platform.secret_box.per_key}
    if as_json:
        for item in counts:
            print_json(
                {
                    "values": item.column,
                    "number": item.number,
                    "key": item.key_id,
                    "state": _state(item, current, known),
                }
            )
        return
    columns = [TableColumn("values"), TableColumn("number"), TableColumn("key", whole=True), TableColumn("state")]
    print_table(columns, [(i.column, i.number, i.key_id or "", _state(i, current, known)) for i in counts])
    if any(_state(item, current, known) == "unreadable" for item in counts):
        say("No known key decrypts the unreadable values. Add the key with that ID to LEADFLOOD_SECRET_KEY_FALLBACKS.")
    elif any(item.key_id != current for item in counts):
        say("Run `leadflood secret rotate`.")
    elif len(platform.secret_box.per_key) > 1:
        say("No values remain on former keys. Remove these keys seven days after all processes have the current key:")
        say("until then they decrypt stored responses for idempotency keys, page cursors and links in emails.")


def _state(item: "SealedCount", current: str, known: set[str]) -> str:
    if item.key_id == current:
        return "current key"
    return "former key" if item.key_id is None or item.key_id in known else "unreadable"
