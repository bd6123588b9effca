"""The folder of the mail catcher: stored whole, listed newest first, shown safely."""

from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from leadflood.dev_mail import messages
from leadflood.dev_mail.messages import CapturedMailNotFound, list_messages, prepare, read_message, save_message
from leadflood.kernel.ids import new_id


def message(subject: str = "Hello", html: str | None = None) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Ada <ada@acme.com>", "grace@acme.com", subject
    made.set_content("Grüße 🚀\n")
    if html is not None:
        made.add_alternative(html, subtype="html")
    return made.as_bytes()


def keep(folder: Path, content: bytes) -> UUID:
    return save_message(
        folder, sender="bounce@acme.com", recipients=["grace@acme.com", "zoë@acme.com"], content=content
    )


def test_a_message_is_listed_and_read_with_what_the_envelope_said(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    assert list_messages(folder) == []

    message_id = keep(folder, message("Grüße an Zoë"))

    (caught,) = list_messages(folder)
    assert (caught.id, caught.sender, caught.subject) == (message_id, "Ada <ada@acme.com>", "Grüße an Zoë")
    assert caught.recipients == ["grace@acme.com", "zoë@acme.com"]
    read = read_message(folder, message_id)
    assert (read.text, read.html, read.attachments, read.at) == ("Grüße 🚀\n", None, [], caught.at)
    assert read.raw.endswith(message("Grüße an Zoë"))
    assert folder.stat().st_mode & 0o077 == 0


def test_the_newest_messages_come_first_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_STORED_MESSAGES", 3)
    ids = [keep(tmp_path, message(str(number))) for number in range(5)]

    assert [item.id for item in list_messages(tmp_path)] == ids[:1:-1]
    assert [item.subject for item in list_messages(tmp_path, 2)] == ["4", "3"]
    with pytest.raises(CapturedMailNotFound):
        read_message(tmp_path, ids[0])


def test_html_is_shown_without_what_runs_or_calls_elsewhere(tmp_path: Path) -> None:
    hostile = (
        '<p onclick="x()">Hi <b>Ada</b></p><script>x()</script><style>p{}</style><img src="http://spy.example/1">'
        '<iframe src="//spy"></iframe><form action="/v1"><input></form><a href="javascript:x()">a</a>'
        '<a href="https://acme.com/x">b</a><svg onload="x()"></svg>'
    )

    html = read_message(tmp_path, keep(tmp_path, message(html=hostile))).html or ""

    assert "<b>Ada</b>" in html
    assert 'href="https://acme.com/x"' in html
    for word in ("script", "onclick", "onload", "style", "img", "iframe", "form", "input", "spy", "x()"):
        assert word not in html


def test_attachments_are_named_and_not_shown(tmp_path: Path) -> None:
    made = EmailMessage()
    made.set_content("See below")
    made.add_attachment(b"\x00\xff", maintype="application", subtype="octet-stream", filename="Zoë's.bin")
    made.add_attachment(b"x", maintype="application", subtype="octet-stream")

    read = read_message(tmp_path, keep(tmp_path, made.as_bytes()))

    assert (read.text, list(read.attachments)) == ("See below\n", ["Zoë's.bin", "unnamed"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe garbage",
        b"Subject: =?utf-8?b?broken\r\nFrom: \xff\r\n\r\nbody",
        b"Content-Type: text/plain; charset=klingon\r\n\r\nqapla\xff",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Subject: " + b"x" * 200_000 + b"\r\n\r\nbody",
    ],
)
def test_what_is_no_proper_message_is_shown_as_far_as_it_goes(tmp_path: Path, content: bytes) -> None:
    message_id = keep(tmp_path, content)

    assert [item.id for item in list_messages(tmp_path)] == [message_id]
    assert read_message(tmp_path, message_id).raw.endswith(content)


def test_files_that_the_catcher_did_not_write_are_left_alone_and_not_listed(tmp_path: Path) -> None:
    for name in ("note.eml", f"{new_id()}.txt", f"{str(new_id()).upper()}.eml"):
        (tmp_path / name).write_text("mine")
    half = tmp_path / f"{new_id()}.tmp"
    half.write_text("half")

    assert list_messages(tmp_path) == []
    prepare(tmp_path)

    assert not half.exists()
    assert len(list(tmp_path.iterdir())) == 3


def test_a_message_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        keep(tmp_path, message())

    assert list(tmp_path.iterdir()) == []
