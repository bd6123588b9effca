"""The mapping page of a file with several columns of addresses."""

from tests.integration.web.test_imports import form_of, worked
from tests.support.desk import Desk, csv_of
from tests.support.web import Browser


async def test_a_further_column_of_addresses_is_shown_used_and_remembered(owner: Browser, desk: Desk) -> None:
    data = csv_of([["Email", "Email 2"], ["ada@acme.com", "home@ada.example"], ["", "bob@acme.com"]])
    import_id = await desk.upload(data, "Messe.csv")
    mapping = await owner.get(f"/imports/{import_id}")
    fields = form_of(mapping)
    assert (fields["targets.1"], fields["keys.1"]) == ("otherEmail", "email_2")
    assert "Email, if the first is empty" in mapping.text
    assert "Rows without a valid address under Email get one from: Email 2." in mapping.text

    await owner.post(f"/imports/{import_id}/previews", {**fields, "keys.1": "second_email"})
    await worked(desk, import_id)
    preview = await owner.get(f"/imports/{import_id}")
    assert "2 leads will be created" in preview.text
    assert (await desk.get(import_id)).columns[1].target == "otherEmail:second_email"

    again = form_of(await owner.get(f"/imports/{await desk.upload(data)}"))
    assert (again["targets.1"], again["keys.1"]) == ("otherEmail", "second_email")
    own = {**again, "targets.0": "custom", "keys.0": "second_email"}
    refused = await owner.post(f"/imports/{await desk.upload(data)}/previews", own)
    assert refused.all("#column-1 .field__error") == ["Map each target to one column only."]
