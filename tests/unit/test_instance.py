"""Name of an installation outside its database."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import SecretStr

from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.hold import DatabaseIdentity, differences
from leadflood.kernel.instance import instance_ids

KEY = SecretBox("k" * 32)


def settings(home: Path, **values: object) -> Settings:
    return Settings(_env_file=None).model_copy(update={"home": home, "instance_id": "", "database_url": None, **values})


def test_the_setting_wins_and_processes_elsewhere_share_what_their_key_says(tmp_path: Path) -> None:
    elsewhere = {"database_url": SecretStr("postgresql://db/leadflood")}

    assert instance_ids(settings(tmp_path, instance_id="acme-production", **elsewhere), KEY) == ("acme-production",)
    one, two = (instance_ids(settings(tmp_path / name, **elsewhere), KEY) for name in ("one", "two"))
    assert one == two
    rotated = SecretBox("new" * 12, ["k" * 32])
    assert instance_ids(settings(tmp_path, **elsewhere), rotated)[1:] == one
    assert one != instance_ids(settings(tmp_path, **elsewhere), SecretBox("other" * 8))
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_keeps_its_name_when_moved_and_its_copy_has_another(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with ThreadPoolExecutor(8) as pool:
        (name,) = set(pool.map(lambda _: instance_ids(settings(home), KEY), range(16)))

    copy = shutil.copytree(home, tmp_path / "copy")
    moved = home.rename(tmp_path / "moved")

    assert instance_ids(settings(moved), KEY) == name
    assert instance_ids(settings(copy), KEY) not in {name, instance_ids(settings(_empty(tmp_path)), KEY)}
    assert [item.name for item in moved.iterdir()] == ["instance.id"]


def test_a_server_that_hides_its_identifier_is_no_difference() -> None:
    known, hidden = DatabaseIdentity("7", 5, "a"), DatabaseIdentity(None, 5, "a")

    assert differences(known, hidden) == differences(hidden, known) == ()
    assert differences(known, DatabaseIdentity("8", 6, "b")) == ("server", "database", "instance id")


def _empty(folder: Path) -> Path:
    made = folder / "empty"
    made.mkdir()
    return made
