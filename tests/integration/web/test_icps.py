"""Pages of ideal customer profiles."""

import json
from uuid import UUID

import pytest

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.icps import IcpView
from leadflood.domains.icps.service import publishing
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited
from tests.integration.web.test_live import streaming
from tests.support.served import Served
from tests.support.web import Browser

FILE = """\
name: Germans
groups:
  - name: Place
    cap: 30
    criteria:
      - {key: german, label: In Germany, test: {field: lead.country, in: [DE]}, points: 20, otherwise: -5}
gates:
  - {key: free, test: {field: lead.is_free_mail, is: true}, effect: capTier, tier: B, reason: Private address}
tiers: [{name: A, atLeast: 20}, {name: B}]
"""
FRENCH = FILE.replace("[DE]", "[FR]")


async def icp_of(house: House) -> IcpView:
    """The only profile."""
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        (found,) = await queries.list_icps(tx, house.actor)
    return found


async def finish(house: House) -> None:
    """Do the job of the publication that has begun."""
    version = (await icp_of(house)).publishing
    assert version is not None
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await publishing.score_chunk(tx, house.actor, version_id=version.id, after_id=None)
        await publishing.finish(tx, house.actor, version_id=version.id)


async def published(house: House, owner: Browser) -> UUID:
    """A live profile."""
    await owner.get("/icps/new")
    await owner.post("/icps", {"file": FILE})
    icp_id = (await icp_of(house)).id
    await owner.post(f"/icps/{icp_id}/publications", {"number": "1"})
    await finish(house)
    return icp_id


async def test_without_profiles_the_page_explains_them_and_offers_templates(house: House, owner: Browser) -> None:
    page = await owner.get("/icps")
    assert "A profile says who fits" in page.text
    assert page.all(".empty__actions a") == ["Software for companies", "Agencies", "Manufacturers", "Local services"]

    form = await owner.get("/icps/new?template=agencies")
    (text,) = [node.text() for node in form.html.css("textarea")]
    made = await owner.post("/icps", {"file": text})
    assert made.path == f"/icps/{(await icp_of(house)).id}"
    assert "Draft saved." in made.text


async def test_a_profile_is_shown_in_words(house: House, owner: Browser) -> None:
    await owner.get("/icps/new")
    page = await owner.post("/icps", {"file": FILE})

    assert page.all("h1")[0].startswith("Germans")
    assert "Country is one of DE" in page.text
    assert "counts from −30 to 30" in page.text
    assert "At most tier B" in page.text
    assert "From 20 points" in page.text
    assert "Version 1 Draft" in page.text


async def test_publishing_says_how_many_leads_move_shows_its_progress_and_can_be_rolled_back(
    house: House, owner: Browser
) -> None:
    await house.lead("a@acme.test", country="DE")
    await house.lead("b@acme.test", country="FR")
    await house.lead("c@acme.test", country="FR")
    await owner.get("/icps/new")
    preview = await owner.post("/icps", {"file": FILE, "then": "preview"})
    assert "3 leads would get a tier" in preview.text
    path = preview.path.removesuffix("/preview")

    running = await owner.post(f"{path}/publications", {"number": "1"})
    assert "Publishing version 1" in running.text
    assert running.attribute("progress", "max") == "3"
    assert "is being published" in (await owner.post(f"{path}/publications", {"number": "1"})).text
    await finish(house)
    assert "A 1 · B 2" in (await owner.get("/icps")).text

    await owner.get(f"{path}/draft")
    version = str((await icp_of(house)).version)
    preview = await owner.post(f"{path}/draft", {"file": FRENCH, "version": version, "then": "preview"})
    assert "3 leads would move to another tier" in preview.text
    assert preview.all("section[aria-label='Who moves'] tbody tr") == ["B A 2", "A B 1"]
    await owner.post(f"{path}/publications", {"number": "2"})
    await finish(house)
    shown = await owner.get(path)
    assert shown.all("#version-2 .badge") == ["Live"]
    assert shown.attribute("#version-1 .cell-actions a", "href") == f"{path}/preview?version=1"

    back = await owner.get(f"{path}/preview?version=1")
    assert "3 leads would move to another tier" in back.text
    assert back.all("#confirm .button--primary") == ["Roll back to version 1"]
    await owner.post(f"{path}/publications", {"number": "1"})
    await finish(house)
    assert (await owner.get(path)).all("#version-1 .badge") == ["Live"]
    assert len(await audited(house, "icp.published")) == 3


async def test_the_preview_plots_the_scores_by_tier_and_has_them_as_a_table(house: House, owner: Browser) -> None:
    for place, country in enumerate(["DE", "DE", "FR"]):
        await house.lead(f"{place}@acme.test", country=country)
    await house.lead("x@acme.test", country="DE", company="Rival")
    gate = "  - {key: x, test: {field: lead.company, is: Rival}, effect: exclude, reason: X}\n"
    await owner.get("/icps/new")

    file = FILE.replace("tiers: [", f"{gate}tiers: [{{name: S, atLeast: 30}}, ")
    page = await owner.post("/icps", {"file": file, "then": "preview"})

    plot = json.loads(page.attribute("#plot-scores", "data-plot") or "{}")
    assert plot["x"] == [-10, 0, 10, 20, 30]
    series = {each["label"]: each["values"] for each in plot["series"]}
    assert series == {"Tier S": [0, 0, 0, 0, 0], "Tier A": [0, 0, 0, 2, 0], "Tier B, Excluded": [1, 0, 0, 1, 0]}
    assert plot["stacks"] == [[1, 0, 0, 3, 0], [1, 0, 0, 3, 0], [1, 0, 0, 1, 0]]
    rows = page.all(".plot__table tbody tr")
    assert (rows[0], rows[-1]) == ("20 to 29 0 2 0 1", "-10 to -1 0 0 1 0")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (FILE.replace("points: 20", "points: 2000"), "Line 6, points: "),
        (FILE.replace("lead.country", "lead.land"), "Line 6, field: There is no fact 'lead.land'."),
        (
            FILE.replace("tier: B, reason", "tier: Z, reason"),
            "Line 8, tier: Provide one of the tiers after the best: B.",
        ),
        (FILE.replace("name: Germans\n", ""), "Begin the file with a line such as"),
        ("name: [", "This is not YAML in line 1"),
        ("", "The file has to contain groups"),
    ],
)
async def test_errors_name_line_field_and_remedy_and_what_was_typed_is_kept(
    owner: Browser, file: str, message: str
) -> None:
    await owner.get("/icps/new")

    refused = await owner.post("/icps", {"file": file})

    assert refused.status == 400
    assert message in refused.text
    assert [node.text().strip() for node in refused.html.css("textarea")] == [file.strip()]


async def test_a_draft_that_somebody_else_saved_is_not_overwritten_unseen(house: House, owner: Browser) -> None:
    icp_id = await published(house, owner)
    page = await owner.get(f"/icps/{icp_id}/draft")
    old = page.attribute("input[name=version]", "value") or ""
    await owner.post(f"/icps/{icp_id}/draft", {"file": FRENCH, "version": old})

    mine = FILE.replace("points: 20", "points: 21").replace("name: Germans", "name: Mine")
    refused = await owner.post(f"/icps/{icp_id}/draft", {"file": mine, "version": old})
    assert refused.status == 412
    assert "Somebody changed the profile" in refused.text
    assert "points: 21" in refused.text
    new = refused.attribute("input[name=version]", "value") or ""
    saved = await owner.post(f"/icps/{icp_id}/draft", {"file": mine, "version": new})
    assert saved.all("h1")[0].startswith("Mine")


async def test_who_may_not_write_or_publish_sees_no_way_to(house: House, owner: Browser, viewer: Browser) -> None:
    assert "Ask a member who can edit profiles." in (await viewer.get("/icps")).text
    icp_id = await published(house, owner)
    await owner.get(f"/icps/{icp_id}/draft")
    await owner.post(f"/icps/{icp_id}/draft", {"file": FRENCH, "version": str((await icp_of(house)).version)})
    member = await house.signed_in(Role.MEMBER)

    for browser, may_edit in ((viewer, False), (member, True)):
        page = await browser.get(f"/icps/{icp_id}")
        assert ("Edit draft" in page.text, "Preview" in page.text, "Delete profile" in page.text) == (
            may_edit,
            True,
            False,
        )
        preview = await browser.get(f"/icps/{icp_id}/preview")
        assert preview.html.css("#confirm") == []
        assert (await browser.post(f"/icps/{icp_id}/publications", {"number": "2"})).status == 403
        assert (await browser.post(f"/icps/{icp_id}/deletions")).status == 403
        assert (await browser.post(f"/icps/{icp_id}/draft", {"file": FILE})).status == (412 if may_edit else 403)
    assert (await icp_of(house)).publishing is None


async def test_a_form_without_its_token_is_refused(house: House, owner: Browser) -> None:
    icp_id = await published(house, owner)
    for path in (f"/icps/{icp_id}/draft", f"/icps/{icp_id}/publications", f"/icps/{icp_id}/deletions", "/icps"):
        assert (await owner.post(path, {"csrf": "x", "file": FILE, "number": "1"})).status == 403
    assert (await icp_of(house)).draft is None


async def test_another_workspace_has_no_such_profile(house: House, owner: Browser, new_house: NewHouse) -> None:
    icp_id = await published(house, owner)
    stranger = await (await new_house()).signed_in(Role.OWNER)
    for page in ("", "/draft", "/preview"):
        assert (await stranger.get(f"/icps/{icp_id}{page}")).status == 404
    assert (await owner.get(f"/icps/{icp_id}?version=9")).status == 404
    assert (await owner.get(f"/icps/{icp_id}?version=x")).status == 404


async def test_a_profile_is_deleted_with_its_scores(house: House, owner: Browser) -> None:
    icp_id = await published(house, owner)
    await owner.get(f"/icps/{icp_id}")
    gone = await owner.post(f"/icps/{icp_id}/deletions")
    assert (gone.path, "Profile deleted." in gone.text, "No profiles" in gone.text) == ("/icps", True, True)


async def test_an_open_page_shows_how_far_a_publication_is_and_that_it_has_ended(
    server: Served, house: House, owner: Browser
) -> None:
    await house.lead("a@acme.test", country="DE")
    await owner.get("/icps/new")
    await owner.post("/icps", {"file": FILE})
    icp_id = (await icp_of(house)).id

    async with streaming(server, owner, f"/icps/{icp_id}") as stream:
        _, before = await stream.next()
        await owner.post(f"/icps/{icp_id}/publications", {"number": "1"})
        _, during = await stream.next()
        await finish(house)
        _, after = await stream.next()

    assert "Publishing version 1" not in before
    assert "Publishing version 1" in during
    assert "Publishing version 1" not in after
    assert "Live" in after
