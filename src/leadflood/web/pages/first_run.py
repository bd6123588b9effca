"""The first owner's own start, by the link that `leadflood up` and `leadflood serve` print."""

from leadflood.domains.identity.contracts import SetUp
from leadflood.domains.identity.errors import FirstRunOver
from leadflood.domains.identity.models import FIRST_WORKSPACE
from leadflood.domains.identity.service import first_run
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pipeline import Pages, Public
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()

_PATH = "/first-run/{code}"
_BY_LINK = Public("nobody has signed in yet; the code in the link, which only the server's terminal shows, is the key")
_FAULT = 500


@pages.get(_PATH, _BY_LINK)
async def show_first_run(visit: Visit) -> Answer:
    """Welcome: who are you, and what is this workspace to be called?"""
    try:
        workspace = await first_run.check(visit.parts.database, visit.parts.sealer, code=_code(visit), now=visit.now)
    except FirstRunOver as error:
        return _over(error)
    return _welcome(Form.of({"workspace": "" if workspace.name == FIRST_WORKSPACE else workspace.name}))


@pages.post(_PATH, _BY_LINK)
async def set_up(visit: Visit) -> Answer:
    """Save all of it, and go on as its owner."""
    parts = visit.parts
    try:
        entered = await first_run.set_up(
            parts.database,
            parts.settings,
            parts.sealer,
            code=_code(visit),
            wanted=visit.form.read(SetUp, blank=""),
            client=visit.client,
            now=visit.now,
        )
    except FirstRunOver as error:
        return _over(error)
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return _welcome(visit.form.refused(error), error.status)
    visit.enter(entered)
    return Redirect("/", [Toast(f"Welcome to {entered.workspace.name}.")])


def _welcome(form: Form, status: int = 200) -> Page:
    return Page("first_run/welcome.html", {"form": form}, status)


def _over(error: FirstRunOver) -> Page:
    return Page("first_run/over.html", {}, error.status)


def _code(visit: Visit) -> str:
    return str(visit.request.path_params["code"])
