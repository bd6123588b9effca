"""A folder of wheels made from uv's cache: what `pip download` would fetch, without a network."""

import re
import zipfile
from pathlib import Path

_PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


def make_wheelhouse(cache: Path, requirements: str, target: Path) -> None:
    """Pack the wheels of pinned requirements, for this and other platforms, as far as the cache has them.

    Args: cache: uv's, where wheels are stored unpacked. requirements: what `uv export` prints.
    """
    target.mkdir()
    for name, version in _PINNED.findall(requirements):
        for folder in (cache / "wheels-v8/pypi").glob(f"{name}/{version}-*"):
            if folder.is_dir():
                _pack(folder.resolve(), target)


def _pack(unpacked: Path, target: Path) -> None:
    (info,) = unpacked.glob("*.dist-info")
    lines = (info / "WHEEL").read_text(encoding="utf-8").splitlines()
    tags = [line.removeprefix("Tag: ").strip().split("-") for line in lines if line.startswith("Tag: ")]
    combined = [".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True)]
    name = "-".join([info.name.removesuffix(".dist-info"), *combined])
    with zipfile.ZipFile(target / f"{name}.whl", "w") as wheel:
        for file in sorted(unpacked.rglob("*")):
            if file.is_file():
                wheel.write(file, file.relative_to(unpacked))
