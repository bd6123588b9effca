"""Sending to real SMTP servers: what arrives, and which failures may pass."""

import asyncio
import socket
from pathlib import Path

import aiosmtplib
import pytest

from leadflood.dev_mail.messages import MAX_MESSAGE_BYTES, list_messages
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.mail import Mail, Mailer, MailNotSent
from tests.support.mail import Open, post_office, refusing, silent

SENDER = "Acme <no-reply@acme.test>"


def mail(to: str = "grace@acme.test", text: str = "Grüße 🚀") -> Mail:
    return Mail("key-1", parse_email(to), "Hello", text, "<p>Grüße 🚀</p>")


async def verdict(url: str, message: Mail | None = None, timeout: float = 10) -> MailNotSent:  # noqa: ASYNC109  the mailer's
    with pytest.raises(MailNotSent) as caught:
        await Mailer(url, SENDER, gate=Open(), timeout=timeout).send(message or mail())
    return caught.value


async def test_a_mail_is_caught_as_it_was_sent(tmp_path: Path) -> None:
    async with post_office(tmp_path / "mail") as post:
        mailer = Mailer(post.url, SENDER, gate=Open())
        await mailer.send(mail())
        await mailer.send(mail("Zoë@bücher.example"))

        first, second = post.all()

    assert (first.sender, first.recipients, first.subject) == (SENDER, ["grace@acme.test"], "Hello")
    assert (first.text, first.html) == ("Grüße 🚀\n", "<p>Grüße 🚀</p>\n")
    assert b"Message-ID: <key-1@acme.test>" in first.raw
    assert second.recipients == ["Zoë@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("answers", "passing"),
    [
        ({"RCPT": "550 5.1.1 No such user"}, False),
        ({"RCPT": "450 4.2.1 Greylisted"}, True),
        ({"MAIL": "553 5.7.1 Not your sender"}, False),
        ({"DATA": "452 4.3.1 Disk full"}, True),
        ({"DATA": "554 5.6.0 Looks like spam"}, False),
    ],
)
async def test_the_server_s_answer_tells_whether_another_try_is_worth_it(
    answers: dict[str, str], passing: bool
) -> None:
    async with refusing(**answers) as url:
        failure = await verdict(url)

    assert failure.temporary is passing
    assert next(iter(answers.values())) in failure.reason


async def test_a_server_that_is_away_or_silent_may_come_back(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (await verdict(f"smtp://127.0.0.1:{port}")).temporary
    assert (await verdict("smtp://mail.invalid")).temporary
    async with silent() as url:
        assert (await verdict(url, timeout=0.2)).temporary


async def test_an_address_that_the_server_cannot_take_is_refused_for_good() -> None:
    async with refusing() as url:
        assert not (await verdict(url, mail("Zoë@acme.test"))).temporary


async def test_a_password_is_never_sent_in_the_clear_to_another_machine_nor_told() -> None:
    async with refusing() as url:
        wanted = url.replace("smtp://127.0.0.1", "smtp://ada:s%40cret@127.0.0.1")
        failure = await verdict(wanted)  # on loopback it would be, but this server offers no AUTH at all
    assert not failure.temporary
    assert "s@cret" not in str(failure)
    assert "s@cret" not in failure.reason


async def test_a_message_over_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with post_office(tmp_path / "mail") as post:
        failure = await verdict(post.url, mail(text=f"{'x' * 899}\n" * (MAX_MESSAGE_BYTES // 900 + 1)))

    assert not failure.temporary
    assert list_messages(post.folder) == []


async def test_many_senders_at_once_lose_nothing(tmp_path: Path) -> None:
    async with post_office(tmp_path / "mail") as post:
        mailer = Mailer(post.url, SENDER, gate=Open())
        await asyncio.gather(*(mailer.send(mail(f"u{number}@acme.test")) for number in range(40)))

        assert {item.recipients[0] for item in post.all()} == {f"u{number}@acme.test" for number in range(40)}


async def test_the_catcher_survives_what_is_no_smtp(tmp_path: Path) -> None:
    async with post_office(tmp_path / "mail") as post:
        host, port = post.url.removeprefix("smtp://").split(":")
        with socket.create_connection((host, int(port))) as hostile:
            hostile.sendall(b"\x16\x03\x01\x00\xff" + b"\xff" * 5000 + b"\r\n" * 50)
        async with aiosmtplib.SMTP(hostname=host, port=int(port)) as client:
            with pytest.raises(aiosmtplib.SMTPException):
                await client.sendmail("a@acme.test", ["b" * 3000 + "@acme.test"], b"x")
        await Mailer(post.url, SENDER, gate=Open()).send(mail())

        assert len(post.all()) == 1
