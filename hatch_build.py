"""Build hook: a wheel carries the built front-end parts and the documentation.

An editable install finds them next to their sources.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "scripts"))

import build_frontend


class FrontendHook(BuildHookInterface[Any]):
    """Calls scripts/build_frontend.py."""

    def dependencies(self) -> list[str]:
        """Node.js from the Python package index, where this machine has none."""
        return build_frontend.build_requirements()

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; and name the files for a wheel, which takes nothing else from the folder of built files."""
        root = Path(self.root)
        try:
            manifest = build_frontend.build(root)
        except build_frontend.BuildError as fault:
            self.app.abort(str(fault))
        if version == "standard":
            static = build_frontend.Workshop(root).static
            build_data["force_include"] |= {
                str(static / name): f"leadflood/web/static/{name}" for name in build_frontend.file_names(manifest)
            }
            docs = root / "docs"
            build_data["force_include"] |= {
                str(path): f"leadflood/documents/{path.relative_to(docs).as_posix()}" for path in docs.rglob("*.md")
            }
