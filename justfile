# Run as `uv run just …`; `uv run just` alone lists the recipes.
set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# Everything that needs no database: style, types, import contracts, freshness of generated files
check: lint types imports docs-fresh

lint:
    ruff check
    ruff format --check

types:
    mypy

imports:
    lint-imports --no-cache

docs-fresh:
    pytest -q tests/unit/test_settings_docs.py tests/architecture

# Repair what a machine can repair
fmt:
    ruff format
    ruff check --fix

# Every check and every tier, as CI runs them
test *args:
    ./test {{ args }}

unit *args:
    pytest tests/unit tests/architecture {{ args }}

e2e *args:
    pytest tests/e2e {{ args }}

# The short and the long chaos profile
chaos *args:
    pytest tests/chaos -m "long or not long" {{ args }}

# Figures of this machine, as ratios to a peer and a floor
bench *args:
    "${UV:-uv}" run --group bench python -m tests.bench {{ args }}

# Every page in a real Chromium: pictures into shots/, at 1440 and 390 pixels, in light and in dark
shots *args:
    pytest tests/shots/test_pages.py {{ args }}

# The three small pictures of the README (with fonts-noto-color-emoji and fonts-noto-cjk installed)
shots-readme:
    pytest tests/shots/test_readme.py

# Regenerate .env.example and docs/reference
docs:
    python scripts/generate_docs.py

# What the pages load: bundle, name by content, compress; prints the sizes. `uv sync` and `uv run` do it by themselves
web:
    python scripts/build_frontend.py

up *args:
    ./up {{ args }}
