"""Which found values fill fields of a lead, and from which confidence."""

from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.models.filling import FILLED_BY, STANDARD, FillPolicies, FillPolicy, FillState
from leadflood.domains.leads.catalog import LEAD_FIELDS


def test_a_value_fills_from_its_threshold_and_is_suggested_below() -> None:
    policy = FillPolicy(fill_at=0.7)

    assert policy.state(0.7) is FillState.FILLED
    assert policy.state(0.69) is FillState.SUGGESTED
    assert FillPolicy(fill_at=0.7, suggest=False).state(0.69) is None
    assert FillPolicy(fill_at=None, suggest=False).state(1.0) is None


def test_the_phone_of_a_company_is_never_more_than_a_suggestion() -> None:
    assert FillPolicies().of(company_fields.PHONE).state(1.0) is FillState.SUGGESTED
    assert FillPolicies().of(lead_fields.PHONE) is STANDARD


def test_a_workspace_changes_policies_field_by_field() -> None:
    policies = FillPolicies({company_fields.PHONE: FillPolicy(fill_at=0.5)})

    assert policies.of(company_fields.PHONE).state(0.5) is FillState.FILLED
    assert policies.of(lead_fields.PHONE) is STANDARD


def test_the_persons_values_come_before_those_of_the_company_and_a_guessed_name_comes_last() -> None:
    assert FILLED_BY["phone"] == (lead_fields.PHONE, company_fields.PHONE)
    assert FILLED_BY["country"] == (lead_fields.COUNTRY, company_fields.COUNTRY)
    assert FILLED_BY["company"] == (company_fields.NAME, lead_fields.COMPANY_NAME)


def test_found_values_fill_fields_that_leads_have() -> None:
    assert set(FILLED_BY) <= {field.name for field in LEAD_FIELDS}
