"""Contracts of spending. Amounts are integers in millionths of the currency: 5,000,000 is 5.00."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from leadflood.domains.identity.models import known_time_zone
from leadflood.domains.leads.contracts import NOT_NULL
from leadflood.domains.spending.models import (
    MAX_AMOUNT,
    BookAccount,
    BudgetState,
    Period,
    PurchaseState,
    Scope,
    TransferKind,
)
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line

MAX_SOURCE: Final = 100
_ID = "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e10"
_Limit = Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
_Amount = Annotated[int, Field(ge=1, le=MAX_AMOUNT)]
_CURRENCY: Final = 3


def _currency(text: str) -> str:
    if len(text) != _CURRENCY or not (text.isascii() and text.isalpha()):
        message = "Must be a currency code (ISO 4217), such as EUR."
        raise InvalidValue(message, "unknown_currency")
    return text.upper()


class SpendingSettingsView(View):
    """Settings of spending."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"currency": "EUR", "timeZone": "Europe/Berlin"}]})

    currency: str = Field(description="ISO 4217.")
    time_zone: str = Field(description="IANA time zone in which days and months of budgets end.")


class ChangeSpendingSettings(Schema):
    """Changes to the settings of spending: absent fields are kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"timeZone": "Europe/Berlin"}]})

    currency: Annotated[Annotated[str, FromText(_currency, {"minLength": 3, "maxLength": 3})] | None, *NOT_NULL] = None
    time_zone: Annotated[Annotated[str, FromText(known_time_zone, {"maxLength": 64})] | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ChangeSpendingSettings":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class SetPrice(Schema):
    """The price of one unit of a source, such as a credit. Setting it again ends a pause of the source."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"priceMicros": 25_000}, {"priceMicros": 25_000, "mostPerHitMicros": 200_000}]}
    )

    price_micros: _Amount = Field(description="For one unit; 25,000 is 2.5 cents.")
    most_per_hit_micros: _Amount | None = Field(
        default=None, description="The source is paused if a found answer costs more on average. Null: no limit."
    )


class PriceView(View):
    """The price of a source."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "hunter_finder",
                    "priceMicros": 25_000,
                    "mostPerHitMicros": None,
                    "currency": "EUR",
                    "pauseReason": "",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    source: str
    price_micros: int
    most_per_hit_micros: int | None
    currency: str
    pause_reason: str = Field(description="Why nothing is purchased until the price is set again; empty: it is.")
    updated_at: datetime


class PricesView(View):
    """All prices of the workspace."""

    items: list[PriceView]


class CreateBudget(Schema):
    """A new budget. Purchases need one of the scope `workspace`; the others limit further."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scope": "workspace", "period": "month", "limitMicros": 50_000_000},
                {"scope": "source", "subject": "hunter_finder", "period": "day", "limitMicros": 5_000_000},
                {"scope": "lead", "period": "total", "limitMicros": 200_000},
            ]
        }
    )

    scope: Annotated[Scope, Strict(strict=False)] = Field(
        description="`lead`: each lead or company. Batches get theirs when they are started."
    )
    subject: Annotated[str, line(MAX_SOURCE)] | None = Field(default=None, description="With `source`: its name.")
    period: Annotated[Period, Strict(strict=False)]
    limit_micros: _Limit

    @model_validator(mode="after")
    def _has_its_subject(self) -> "CreateBudget":
        if self.scope is Scope.BATCH:
            message = "The budget of an enrichment is set when it is started."
            raise InvalidValue(message, "not_allowed")
        if (self.scope is Scope.SOURCE) != (self.subject is not None):
            message = "Send a subject with the scope source, and with no other."
            raise InvalidValue(message, "required")
        return self


class ChangeBudget(Schema):
    """Changes to a budget: absent fields are kept. A pause stops the next call; a closed budget stays closed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "paused"}, {"limitMicros": 80_000_000}]})

    limit_micros: Annotated[_Limit | None, *NOT_NULL] = None
    state: Annotated[Annotated[BudgetState, Strict(strict=False)] | None, *NOT_NULL] = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ChangeBudget":
        if not self.model_fields_set:
            message = "At least one field is required."
            raise InvalidValue(message, "required")
        return self


class BudgetWindowView(View):
    """A budget in its present period."""

    reserved_micros: int = Field(description="For calls under way.")
    in_doubt_micros: int = Field(description="For calls whose answer was lost.")
    spent_micros: int
    left_micros: int
    overrun_micros: int = Field(description="Above the limit.")
    starts_at: datetime | None
    ends_at: datetime | None


class BudgetView(View):
    """A budget. `version` is the value for `If-Match`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "scope": "workspace",
                    "subject": "",
                    "period": "month",
                    "limitMicros": 50_000_000,
                    "currency": "EUR",
                    "state": "open",
                    "version": 1,
                    "window": {
                        "reservedMicros": 25_000,
                        "inDoubtMicros": 0,
                        "spentMicros": 1_200_000,
                        "leftMicros": 48_775_000,
                        "overrunMicros": 0,
                        "startsAt": "2026-03-01T00:00:00Z",
                        "endsAt": "2026-04-01T00:00:00Z",
                    },
                    "createdAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    scope: Scope
    subject: str = Field(description="The source, or the ID of the batch; empty for other scopes.")
    period: Period
    limit_micros: int
    currency: str
    state: BudgetState
    version: int
    window: BudgetWindowView | None = Field(description="Null for the scope `lead`, which has one for each.")
    created_at: datetime


class PurchaseView(View):
    """A purchase: one call to a provider. `reference`: its lookup."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "source": "hunter_finder",
                    "state": "in_doubt",
                    "reference": _ID,
                    "subjectId": _ID,
                    "batchId": None,
                    "mostMicros": 25_000,
                    "chargedMicros": 0,
                    "units": 0,
                    "currency": "EUR",
                    "sentence": "The answer was lost.",
                    "reservedAt": "2026-03-01T09:30:00Z",
                    "endedAt": None,
                }
            ]
        }
    )

    id: UUID
    source: str
    state: PurchaseState
    reference: UUID
    subject_id: UUID | None = Field(description="The lead or company that it is about; null: erased.")
    batch_id: UUID | None
    most_micros: int = Field(description="Maximum, which is reserved before the call.")
    charged_micros: int = Field(description="Refunds are subtracted.")
    units: int
    currency: str
    sentence: str
    reserved_at: datetime
    ended_at: datetime | None


class Refund(Schema):
    """An amount that the provider returned."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amountMicros": 25_000, "sentence": "Bounced."}]})

    amount_micros: _Amount
    sentence: Annotated[str, line(200)] | None = Field(default=None, description="Why, for the list of transfers.")


class TransferEntryView(View):
    """One side of a transfer, in one budget. All entries of a transfer sum to zero."""

    budget_id: UUID
    account: BookAccount
    amount_micros: int


class TransferView(View):
    """A transfer of the books: an amount goes from one account of each budget concerned to another one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "kind": "settle",
                    "purchaseId": _ID,
                    "source": "hunter_finder",
                    "amountMicros": 25_000,
                    "currency": "EUR",
                    "sentence": "",
                    "at": "2026-03-01T09:30:00Z",
                    "entries": [
                        {"budgetId": _ID, "account": "reserved", "amountMicros": -25_000},
                        {"budgetId": _ID, "account": "spent", "amountMicros": 25_000},
                    ],
                }
            ]
        }
    )

    id: UUID
    kind: TransferKind
    purchase_id: UUID
    source: str
    amount_micros: int
    currency: str
    sentence: str
    at: datetime
    entries: list[TransferEntryView]


class BudgetsShown(StrEnum):
    """Budgets of a list. `BATCHES`: those of enrichments. `CLOSED`: the open ones, and those that are closed."""

    OPEN = "open"
    CLOSED = "closed"
    BATCHES = "batches"


class SpendBy(StrEnum):
    """Grouping of spending."""

    SOURCE = "source"
    DAY = "day"
    BATCH = "batch"
    PERSON = "person"


class SpendRow(View):
    """Spending of one group. `key`: the source, the day, or the ID of the batch or person; empty: none."""

    key: str
    label: str = Field(description="For people.")
    purchases: int
    hits: int = Field(description="Answers that had something.")
    spent_micros: int
    held_micros: int = Field(description="Reserved and in doubt.")


class AvoidedRow(View):
    """Calls of one source that were not made because no answer could change a tier."""

    source: str
    calls: int
    amount_micros: int = Field(description="What they would have cost at most.")


class SpendView(View):
    """Spending in a period, by group."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "by": "source",
                    "since": "2026-03-01",
                    "until": "2026-03-31",
                    "currency": "EUR",
                    "spentMicros": 1_200_000,
                    "heldMicros": 25_000,
                    "avoidedMicros": 300_000,
                    "avoidedCalls": 12,
                    "avoided": [{"source": "hunter_finder", "calls": 12, "amountMicros": 300_000}],
                    "items": [
                        {
                            "key": "hunter_finder",
                            "label": "hunter_finder",
                            "purchases": 60,
                            "hits": 48,
                            "spentMicros": 1_200_000,
                            "heldMicros": 25_000,
                        }
                    ],
                }
            ]
        }
    )

    by: SpendBy
    since: date
    until: date
    currency: str
    spent_micros: int
    held_micros: int
    avoided_micros: int = Field(
        description="What calls would have cost at most that were not made because no answer could change a tier."
    )
    avoided_calls: int = Field(description="Number of these calls.")
    avoided: list[AvoidedRow] = Field(description="The same by source, the dearest first.")
    items: list[SpendRow]
