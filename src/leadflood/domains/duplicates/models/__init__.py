"""Comparison of leads: the identity each one states, and the probability that two are one person. Pure functions."""

from leadflood.domains.duplicates.models.comparing import compare
from leadflood.domains.duplicates.models.people import ComparedLead, PersonKey
from leadflood.domains.duplicates.models.states import (
    CERTAIN,
    MIN_SCORE,
    CandidateStatus,
    Match,
    MergeRunStatus,
    MergeSide,
    MergeStatus,
    Reason,
    ReasonKind,
    ScanStatus,
)
from leadflood.domains.duplicates.models.weights import UNTRAINED, Weights

__all__ = [
    "CERTAIN",
    "MIN_SCORE",
    "UNTRAINED",
    "CandidateStatus",
    "ComparedLead",
    "Match",
    "MergeRunStatus",
    "MergeSide",
    "MergeStatus",
    "PersonKey",
    "Reason",
    "ReasonKind",
    "ScanStatus",
    "Weights",
    "compare",
]
