from collections import defaultdict

from leadflood.api.errors import problem_types
from leadflood.kernel.errors import Conflict


def test_each_conflict_has_a_title_and_a_remedy_of_its_own() -> None:
    conflicts = [
        error for error in problem_types().values() if error.status == Conflict.status and error is not Conflict
    ]
    shared = [error.code for error in conflicts if Conflict.title == error.title or error.remedy == Conflict.remedy]
    remedies = defaultdict(list)
    for error in conflicts:
        remedies[error.remedy].append(error.code)

    assert len(conflicts) > 20
    assert shared == []
    assert [codes for codes in remedies.values() if len(codes) > 1] == []
