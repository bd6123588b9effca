"""The demo's internet is for development, and at the ports that the settings name."""

from pathlib import Path

import pytest

from leadflood.demo.internet.dialer import DemoInternetRefused
from leadflood.demo.internet.place import DemoPlace
from leadflood.kernel.config import Settings


def settings(folder: Path, ports: str, env: str = "development") -> Settings:
    return Settings(_env_file=None, home=folder, demo_internet=ports, env=env)


def test_the_place_has_the_ports_of_the_settings(tmp_path: Path) -> None:
    place = DemoPlace.of(settings(tmp_path, "8101, 8102,8103"))

    assert (place.http, place.https, place.dns) == (8101, 8102, 8103)
    assert place.certificates == tmp_path / "demo-internet/authority.pem"


@pytest.mark.parametrize(("ports", "env"), [("8101,8102,8103", "production"), ("8101", "development")])
def test_it_is_refused_in_production_and_without_its_ports(tmp_path: Path, ports: str, env: str) -> None:
    with pytest.raises(DemoInternetRefused):
        DemoPlace.of(settings(tmp_path, ports, env))
