import io
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from rich.cells import cell_len

from leadflood.cli.output import TableColumn, error_lines, print_table, visible
from leadflood.kernel.errors import AppError, FieldError

NAMES = ["Ada", "👩‍👩‍👧‍👦 family", "中村 恵子", "שלום כהן", "ليلى حداد", "Zoë", "🇩🇪 Jonas"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def starts_of_last_column(text: str) -> set[int]:
    return {cell_len(line[: line.index("END")]) for line in text.splitlines() if "END" in line}


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_columns_stay_aligned_beside_emoji_wide_and_right_to_left_names(stream: type[io.StringIO]) -> None:
    screen = stream()
    with redirect_stdout(screen):
        print_table([TableColumn("name"), TableColumn("end")], [(name, "END") for name in NAMES])

    assert len(starts_of_last_column(screen.getvalue())) == 1


def test_nothing_but_text_is_printed_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_table([TableColumn("name")], [("x" * 500,)])

    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert printed.splitlines() == ["name", "x" * 500]


def test_text_from_outside_cannot_move_the_cursor_or_turn_a_line_round() -> None:
    assert visible("\x1b[2Jgone\x07 \u202egnp.exe") == "\ufffd[2Jgone\ufffd gnp.exe"


def test_a_refusal_names_every_field_below_it() -> None:
    error = AppError("Invalid values.", errors=[FieldError("/email", "x", "Bad."), FieldError("/a", "x", "No.")])

    assert error_lines(error) == "error: Invalid values.\n  /email Bad.\n  /a No."


def test_help_and_the_supervising_process_load_neither_web_framework_nor_database_layer() -> None:
    program = (
        "import sys, leadflood.cli, leadflood.cli.supervisor, leadflood.cli.validation, leadflood.cli.listener\n"
        "import leadflood.cli.demo_data, leadflood.kernel.db.embedded, leadflood.kernel.observability\n"
        "print(*(name for name in ('fastapi', 'sqlalchemy', 'asyncpg', 'alembic', 'uvicorn') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_services_load_what_only_migrations_need_on_demand() -> None:
    program = (
        "import sys, leadflood.bootstrap\n"
        "print(*(name for name in ('fastapi', 'sqlalchemy', 'alembic', 'uvicorn') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
