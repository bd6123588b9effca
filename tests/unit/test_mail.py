"""The mail as it leaves, and what settings about mail may say."""

from email import message_from_bytes, policy

import pytest

from leadflood.kernel.config import Settings
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.mail import Mail, Mailer, MailNotSent, UnusableMailSetting
from leadflood.kernel.public_url import UnusablePublicUrl, public_url
from tests.support.mail import Open

SENDER = "Ünïcode Çorp <no-reply@bücher.example>"


def mail(to: str = "ada@acme.com", subject: str = "Hello") -> Mail:
    return Mail("0197-key", parse_email(to), subject, "Grüße 🚀", "<p>Grüße 🚀</p>")


def test_a_mail_says_who_when_which_and_that_no_person_wrote_it() -> None:
    made = Mailer(None, SENDER, gate=Open()).compose(mail(subject="Grüße 🚀 an Zoë")).as_bytes()
    sent = message_from_bytes(made, policy=policy.default)

    assert sent["From"] == "Ünïcode Çorp <no-reply@xn--bcher-kva.example>"
    assert (sent["To"], sent["Subject"]) == ("ada@acme.com", "Grüße 🚀 an Zoë")
    assert sent["Message-ID"] == "<0197-key@xn--bcher-kva.example>"
    assert (sent["Auto-Submitted"], sent["Date"].datetime.utcoffset().total_seconds()) == ("auto-generated", 0)
    text, html = sent.iter_parts()
    assert (text.get_content_type(), text.get_content().split()) == ("text/plain", ["Grüße", "🚀"])
    assert (html.get_content_type(), html.get_content().strip()) == ("text/html", "<p>Grüße 🚀</p>")


def test_the_same_key_gives_the_same_message_id() -> None:
    mailer = Mailer(None, SENDER, gate=Open())

    assert mailer.compose(mail())["Message-ID"] == mailer.compose(mail())["Message-ID"]


def test_every_header_line_is_short_and_ascii() -> None:
    head = Mailer(None, SENDER, gate=Open()).compose(mail(subject="🚀" * 300)).as_bytes().partition(b"\r\n\r\n")[0]

    assert max(len(line) for line in head.decode("ascii").splitlines()) <= 78


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: all@acme.com", "Hello\nX: y", "Hello\r\n\r\nbody"])
def test_no_header_can_be_smuggled_in(subject: str) -> None:
    with pytest.raises(MailNotSent) as caught:
        Mailer(None, SENDER, gate=Open()).compose(mail(subject=subject))

    assert not caught.value.temporary


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("Ada.Lovelace+x@Acme.com", "Ada.Lovelace+x@acme.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ('"a b"@acme.com', '"a b"@acme.com'),
        ("o'brien@acme.com", "o'brien@acme.com"),
    ],
)
def test_an_address_is_written_as_servers_take_it(address: str, written: str) -> None:
    assert Mailer(None, SENDER, gate=Open()).compose(mail(address))["To"] == written


@pytest.mark.parametrize(
    "url",
    ["", "http://host", "smtp://", "smtp://host:0", "smtp://host:99999", "smtp://host/path", "smtp://[::1"],
)
def test_a_mail_server_that_cannot_be_is_refused_by_name_and_not_shown(url: str) -> None:
    with pytest.raises(UnusableMailSetting) as caught:
        Mailer(url, SENDER, gate=Open())

    assert "LEADFLOOD_SMTP_URL" in caught.value.detail


@pytest.mark.parametrize("sender", ["", "Acme", "Acme <>", "Acme <acme>", "<a@b@c>"])
def test_a_sender_that_cannot_be_is_refused_by_name(sender: str) -> None:
    with pytest.raises(UnusableMailSetting) as caught:
        Mailer(None, sender, gate=Open())

    assert "LEADFLOOD_MAIL_FROM" in caught.value.detail


async def test_without_a_server_the_refusal_names_the_setting() -> None:
    with pytest.raises(MailNotSent, match="LEADFLOOD_SMTP_URL") as caught:
        await Mailer(None, SENDER, gate=Open()).send(mail())

    assert not caught.value.temporary


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"public_url": "https://leads.acme.com/"}, "https://leads.acme.com"),
        ({"public_url": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0", "port": 5051}, "http://127.0.0.1:5051"),  # noqa: S104  a setting
        ({"host": "::1", "port": 5051}, "http://[::1]:5051"),
    ],
)
def test_links_lead_to_the_public_address_or_to_this_process(settings: dict[str, object], url: str) -> None:
    assert public_url(Settings(_env_file=None).model_copy(update=settings)) == url


@pytest.mark.parametrize(
    "url",
    ["leads.acme.com", "ftp://acme.com", "https://", "https://acme.com/app", "https://acme.com?x", "https://a@b.co"],
)
def test_a_public_address_that_cannot_be_is_refused_by_name(url: str) -> None:
    with pytest.raises(UnusablePublicUrl, match="LEADFLOOD_PUBLIC_URL"):
        public_url(Settings(_env_file=None, public_url=url))
