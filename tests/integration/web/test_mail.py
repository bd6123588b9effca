"""The page of the mail catcher: for instance operators of a development machine, and for nobody else."""

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from leadflood.dev_mail.messages import list_messages, mail_folder, save_message
from leadflood.kernel.actor import Role
from leadflood.kernel.config import Environment
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.mail import Mail, Mailer
from tests.integration.web.conftest import House
from tests.support.mail import Open, post_office
from tests.support.web import site

HOSTILE = "<script>alert(1)</script> 🚀 שלום"
CATCHER = SecretStr("smtp://127.0.0.1:5025")

UNKNOWN = "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"


@pytest.fixture
def catching(house: House, tmp_path: Path) -> House:
    """The workspace on a machine where `leadflood up` catches mails."""
    return on_machine(house, home=tmp_path, smtp_url=CATCHER, dev_mail_port=5025, env=Environment.DEVELOPMENT)


def on_machine(house: House, **settings: object) -> House:
    web = replace(house.web, settings=house.web.settings.model_copy(update=settings))
    return replace(house, app=site(house.parts, web), web=web)


def caught(house: House, html: str = "<p>Hello</p>", body: str = "Hello", subject: str = "Hello") -> UUID:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "no-reply@acme.test", "grace@acme.test", subject
    message.set_content(body)
    message.add_alternative(html, subtype="html")
    folder = mail_folder(house.web.settings.home)
    return save_message(folder, sender="a@acme.test", recipients=["grace@acme.test"], content=message.as_bytes())


async def test_mails_are_listed_newest_first_and_read(catching: House) -> None:
    browser = await catching.signed_in(Role.ADMIN, operator=True)
    empty = await browser.get("/mail")
    assert "No emails yet" in empty.text
    for subject in ("First", HOSTILE):
        caught(catching, subject=subject)

    seen = await browser.get("/mail")
    assert seen.all("tbody a.row-link") == [HOSTILE, "First"]
    assert "of all workspaces" in seen.text
    mail = await browser.get(seen.attribute("tbody a.row-link", "href") or "")

    assert (mail.status, mail.all("h1")) == (200, [HOSTILE])
    assert "<script>alert" not in mail.response.text
    assert "grace@acme.test" in mail.text
    assert "X-RcptTo: grace@acme.test" in mail.text


async def test_a_real_mail_arrives_with_its_link(catching: House, tmp_path: Path) -> None:
    async with post_office(mail_folder(tmp_path)) as post:
        mail = Mail("k", parse_email("g@acme.test"), "Come", "See https://leads.test/x?a=1&b=2", '<a href="/y">z</a>')
        await Mailer(post.url, "Acme <no-reply@acme.test>", gate=Open()).send(mail)
    browser = await catching.signed_in(Role.OWNER, operator=True)
    (message,) = list_messages(mail_folder(tmp_path))

    seen = await browser.get(f"/mail/{message.id}")

    assert seen.attribute(".mail__text a", "href") == "https://leads.test/x?a=1&b=2"
    assert "noopener" in (seen.attribute(".mail__text a", "rel") or "")


async def test_nothing_in_a_mail_runs_loads_or_pretends(catching: House) -> None:
    html = (
        '<script>alert(1)</script><img src="https://evil.test/x.png" onerror="alert(1)"><style>*{display:none}</style>'
        '<form action="/sign-out" method="post"><button>Go</button></form><iframe src="https://evil.test"></iframe>'
        '<a href="javascript:alert(1)">one</a><a href="data:text/html,x">two</a><a href="https://ok.test">three</a>'
        '<p id="main" class="toast" style="position:fixed" hx-post="/sign-out" onclick="alert(1)">four</p>'
        '</div></section><base href="https://evil.test"><meta http-equiv="refresh" content="0;url=https://evil.test">'
    )
    message_id = caught(catching, html=html, body="javascript:alert(1) data:text/html,x https://ok.test/ <b>")
    browser = await catching.signed_in(Role.OWNER, operator=True)

    seen = await browser.get(f"/mail/{message_id}")

    shown = seen.html.css_first(".mail__html")
    assert shown is not None
    assert shown.css("script, img, style, form, button, iframe, base, meta") == []
    assert [item.attributes.get("href") for item in shown.css("a")] == [None, None, "https://ok.test"]
    attributes = {name for item in shown.css("*") for name in item.attributes} - {"class"}
    assert attributes <= {"href", "rel"}
    assert [item.attributes.get("href") for item in seen.html.css(".mail__text a")] == ["https://ok.test/"]
    assert seen.html.css("meta[http-equiv], base, .mail__text b") == []
    assert len(seen.html.css("#main")) == 1


async def test_an_endless_mail_is_cut(catching: House) -> None:
    message_id = caught(catching, html="<p>" + "x" * 1_000_000, body="y" * 1_000_000)
    browser = await catching.signed_in(Role.OWNER, operator=True)

    seen = await browser.get(f"/mail/{message_id}")

    assert seen.status == 200
    assert "Too long to show in full" in seen.text
    assert len(seen.response.text) < 100_000


@pytest.mark.parametrize("path", ["", f"/{UNKNOWN}"])
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.VIEWER])
async def test_only_instance_operators_see_mails(catching: House, role: Role, path: str) -> None:
    caught(catching)

    seen = await (await catching.signed_in(role)).get(f"/mail{path}")

    assert seen.status == 403
    assert "leadflood user operator grant" in seen.text
    assert "grace@acme.test" not in seen.response.text


@pytest.mark.parametrize("path", [UNKNOWN, "..%2Fsecret.key", "x", "00000000"])
async def test_what_was_not_caught_is_not_found(catching: House, path: str) -> None:
    assert (await (await catching.signed_in(Role.OWNER, operator=True)).get(f"/mail/{path}")).status == 404


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"env": Environment.PRODUCTION},
        {"smtp_url": None},
        {"smtp_url": SecretStr("smtp://user:secret@mail.acme.test:587")},
        {"smtp_url": SecretStr("smtp://127.0.0.1:25")},
    ],
)
async def test_where_mails_are_not_caught_there_is_no_such_page(catching: House, elsewhere: dict[str, object]) -> None:
    message_id = caught(catching)
    other = on_machine(catching, **elsewhere)
    browser = await other.signed_in(Role.OWNER, operator=True)

    for path in ("/mail", f"/mail/{message_id}"):
        seen = await browser.get(path)
        assert seen.status == 404
        assert "LEADFLOOD_SMTP_URL" in seen.text
        assert "grace@acme.test" not in seen.response.text
        assert "secret" not in seen.response.text
    assert (await browser.get("/settings/members")).html.css("a[href='/mail']") == []


async def test_the_page_of_members_leads_operators_to_it(catching: House) -> None:
    operator = await catching.signed_in(Role.OWNER, operator=True)
    assert len((await operator.get("/settings/members")).html.css(".settings__main a[href='/mail']")) == 1

    for role in (Role.OWNER, Role.VIEWER):
        browser = await catching.signed_in(role)
        assert (await browser.get("/settings/members")).html.css("a[href='/mail']") == []
