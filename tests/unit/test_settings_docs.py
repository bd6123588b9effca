import pytest

from leadflood.kernel.config import Settings
from scripts.generate_docs import GENERATED, ROOT, env_example, settings_reference


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_what_the_code_would_write_today_on_any_machine(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8") if (ROOT / name).exists() else None
    monkeypatch.setenv("HOME", "/home/somebody-else")
    monkeypatch.setenv("LEADFLOOD_HOME", "/srv/elsewhere")
    monkeypatch.setenv("LEADFLOOD_SECRET_KEY", "a secret that must never be printed anywhere")

    text = GENERATED[name]()

    assert text == committed, f"{name} is stale (run: uv run just docs) or depends on this machine"
    assert "somebody-else" not in text


@pytest.mark.parametrize("render", [env_example, settings_reference])
def test_every_setting_is_in_the_references_with_its_description(render: object) -> None:
    assert callable(render)
    text = render()

    for name, field in Settings.model_fields.items():
        assert f"LEADFLOOD_{name.upper()}" in text
        assert field.description, f"kernel/config.py: {name} needs a description"
        assert field.description.replace("|", "\\|") in text


def test_the_example_file_sets_nothing_when_it_is_copied_as_it_is() -> None:
    assert [line for line in env_example().splitlines() if line and not line.startswith("#")] == []


def test_the_default_of_a_secret_is_never_shown() -> None:
    secrets = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert secrets

    for name in secrets:
        assert f"# LEADFLOOD_{name.upper()}=\n" in env_example()
        row = next(line for line in settings_reference().splitlines() if f"`LEADFLOOD_{name.upper()}`" in line)
        assert "| secret text" in row
        assert "| none |" in row
