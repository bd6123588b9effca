"""Extensions of leads by other domains, which `bootstrap` adds."""

from typing import Final

from leadflood.kernel.changesets import ChangesetSubjects
from leadflood.kernel.extensions import Extensions

LEAD_EXTENSIONS: Final = Extensions("lead")
"""The registry; empty until `bootstrap` is imported."""
CHANGESET_SUBJECTS: Final = ChangesetSubjects()
"""The kinds of subjects of changesets; likewise."""
