"""Setup of the first owner, by the link that `leadflood up` and `leadflood serve` print."""

from leadflood.domains.identity.contracts import SetUp
from leadflood.domains.identity.errors import SetupAlreadyDone
from leadflood.domains.identity.models import FIRST_WORKSPACE
from leadflood.domains.identity.service import first_run
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/first-run/{code}"
_BY_LINK = Public("nobody has signed in yet; the code in the link, which only the server's terminal shows, is the key")


@pages.get(_PATH, _BY_LINK)
async def show_first_run(ctx: PageContext) -> PageResult:
    """The setup form: account and workspace."""
    try:
        workspace = await first_run.check(ctx.parts.database, ctx.parts.secret_box, code=_code(ctx), now=ctx.now)
    except SetupAlreadyDone as error:
        return _link_expired(error)
    return _welcome(Form.of({"workspace": "" if workspace.name == FIRST_WORKSPACE else workspace.name}))


@pages.post(_PATH, _BY_LINK)
async def set_up(ctx: PageContext) -> PageResult:
    """Save the account and workspace, and sign in as the owner."""
    parts = ctx.parts
    try:
        entered = await first_run.set_up(
            parts.database,
            parts.settings,
            parts.secret_box,
            code=_code(ctx),
            wanted=ctx.form.read(SetUp, blank=""),
            client=ctx.client,
            now=ctx.now,
        )
    except SetupAlreadyDone as error:
        return _link_expired(error)
    except AppError as error:
        if error.is_fault:
            raise
        return _welcome(ctx.form.refused(error), error.status)
    ctx.enter(entered)
    return Redirect("/", [Toast(f"Welcome to {entered.workspace.name}.")])


def _welcome(form: Form, status: int = 200) -> PageResponse:
    return PageResponse("first_run/welcome.html", {"form": form}, status)


def _link_expired(error: SetupAlreadyDone) -> PageResponse:
    return PageResponse("first_run/over.html", {}, error.status)


def _code(ctx: PageContext) -> str:
    return str(ctx.request.path_params["code"])
