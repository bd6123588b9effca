"""Pages that write a profile: a new one, and the draft of one, as YAML in a text area."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.icps import queries, service
from leadflood.domains.icps.contracts.files import line_of, read_file, write_file
from leadflood.domains.icps.contracts.icps import CreateIcp, IcpView, SaveDraft, UpdateIcp
from leadflood.domains.icps.edge.pages import PATH
from leadflood.domains.icps.errors import IcpVersionConflict
from leadflood.domains.icps.models.templates import TEMPLATES, template_text
from leadflood.domains.icps.permissions import ICPS_WRITE
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.schema import REQUIRED
from leadflood.web.cookies import Toast
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_BODY: Final = "/body"
_CONFLICT: Final = (
    "Somebody changed the profile since you opened it. Your text is kept here. Compare it with the current draft; "
    "saving again replaces that."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """An error in a file. `line`: from 1; None: of the whole file."""

    line: int | None
    text: str


@pages.get(f"{PATH}/new", ICPS_WRITE)
async def new_profile(ctx: PageContext) -> PageResult:
    """The form of a new profile, with the text of a template."""
    name = ctx.query.get("template", "")
    chosen = name if name in TEMPLATES else next(iter(TEMPLATES))
    return _new_page(template_text(chosen), chosen)


@pages.post(PATH, ICPS_WRITE)
async def create_profile(ctx: PageContext) -> PageResult:
    """Create a profile with its first draft."""
    text = ctx.form.value("file")
    try:
        title, body = read_file(text)
        if title is None:
            fault = FieldError("/name", "required", "Begin the file with a line such as “name: B2B software buyers”.")
            raise InvalidInput("The profile needs a name.", errors=[fault])
        command = validated(CreateIcp, {"name": title, "body": body.written()})
        async with ctx.writing() as tx:
            made = await service.create_icp(tx, ctx.actor, command=command)
    except AppError as error:
        if error.is_fault:
            raise
        return _new_page(text, "", error)
    return _saved(ctx, made.id)


@pages.get(f"{PATH}/{{id}}/draft", ICPS_WRITE)
async def edit_draft(ctx: PageContext) -> PageResult:
    """The draft as YAML, or the live version, from which a draft begins."""
    async with ctx.reading() as tx:
        icp = await queries.get_icp(tx, ctx.actor, icp_id=ctx.id())
        found = await queries.get_version(tx, ctx.actor, icp_id=icp.id)
    return _draft_page(icp, write_file(icp.name, found.body), icp.version)


@pages.post(f"{PATH}/{{id}}/draft", ICPS_WRITE)
async def save_draft(ctx: PageContext) -> PageResult:
    """Save the draft, and the name, if the file has another one."""
    text, version = ctx.form.value("file"), ctx.form.version()
    try:
        title, body = read_file(text)
        async with ctx.writing() as tx:
            await _save(tx, ctx, title, SaveDraft(body=body), version)
    except AppError as error:
        if error.is_fault:
            raise
        async with ctx.reading() as tx:
            icp = await queries.get_icp(tx, ctx.actor, icp_id=ctx.id())
        return _draft_page(icp, text, icp.version if isinstance(error, IcpVersionConflict) else version, error)
    return _saved(ctx, ctx.id())


async def _save(tx: Transaction, ctx: PageContext, title: str | None, command: SaveDraft, version: int) -> None:
    saved = await service.save_draft(tx, ctx.actor, icp_id=ctx.id(), command=command, expected_version=version)
    if title is not None and title != saved.name:
        renamed = validated(UpdateIcp, {"name": title})
        await service.update_icp(tx, ctx.actor, icp_id=ctx.id(), command=renamed, expected_version=saved.version)


def _saved(ctx: PageContext, icp_id: UUID) -> Redirect:
    path = f"{PATH}/{icp_id}"
    return Redirect(f"{path}/preview" if ctx.form.value("then") == "preview" else path, [Toast("Draft saved.")])


def _new_page(text: str, chosen: str, error: AppError | None = None) -> PageResponse:
    context = {"text": text, "chosen": chosen, "templates": TEMPLATES, **_refusal(text, error)}
    return PageResponse("icps/new.html", context, error.status if error else 200)


def _draft_page(icp: IcpView, text: str, version: int, error: AppError | None = None) -> PageResponse:
    context = {"icp": icp, "text": text, "version": version, **_refusal(text, error)}
    return PageResponse("icps/draft.html", context, error.status if error else 200)


def _refusal(text: str, error: AppError | None) -> dict[str, object]:
    """Message of the form about an error: a sentence, and each fault with its line and field."""
    if error is None:
        return {"detail": "", "faults": []}
    if isinstance(error, IcpVersionConflict):
        return {"detail": _CONFLICT, "faults": []}
    faults = [_fault(text, each) for each in error.errors]
    return {"detail": error.detail, "faults": [each for each in faults if each.text != error.detail]}


def _fault(text: str, error: FieldError) -> Fault:
    pointer = error.pointer.removeprefix(_BODY)
    named = next((part for part in reversed(pointer.split("/")) if part and not part.isdecimal()), "")
    message = "Is required." if error.message == REQUIRED else error.message
    return Fault(line_of(text, pointer) if pointer else None, f"{named}: {message}" if named else message)
