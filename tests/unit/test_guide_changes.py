"""Changes that a guide makes are found in its text, and refused where they do not fit."""

from pathlib import Path

import pytest

from tests.support.guides import GuideError, apply_guide

GUIDE = '''
1. A module, and a line that is only mentioned: `b.py`.

**`a.py`** (new)

```python
"""A."""

NUMBER = 0901
```

**`b.py`** (imports)

```python
import a
```

**`b.py`**

```diff
-one = 1
+one = 2
```

Then **`b.py`**: replace `three = 3` with
`three = 4`

**`b.py`** (at the end)

```python
four = 4
```

```python
not_applied = True
```
'''
BEFORE = '"""B."""\n\nimport z\n\none = 1\nthree = 3\n'


def test_all_kinds_of_changes_are_applied_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(BEFORE)

    assert apply_guide(GUIDE, tmp_path, {"0901": "24"}) == ["a.py", "b.py"]

    assert (tmp_path / "a.py").read_text() == '"""A."""\n\nNUMBER = 24\n'
    assert (tmp_path / "b.py").read_text() == '"""B."""\n\nimport a\nimport z\n\none = 2\nthree = 4\n\n\nfour = 4\n'


@pytest.mark.parametrize(
    "before", [BEFORE.replace("one = 1", "one = 3"), f"{BEFORE}one = 1\n", BEFORE.replace("import", "#")]
)
def test_a_change_that_does_not_fit_is_refused_with_the_file(tmp_path: Path, before: str) -> None:
    (tmp_path / "b.py").write_text(before)

    with pytest.raises(GuideError, match=r"b\.py"):
        apply_guide(GUIDE, tmp_path, {})


def test_a_new_file_that_exists_and_an_old_one_that_does_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GuideError, match=r"b\.py is not there"):
        apply_guide(GUIDE, tmp_path, {})
    with pytest.raises(GuideError, match=r"a\.py is there already"):
        apply_guide(GUIDE, tmp_path, {})
