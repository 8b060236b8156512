"""The producer's way through the portal, in a real browser before the real desk."""

import re

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.steps import FORM, PDF, TEXT, fill_in, row, send
from tests.fixtures.desk import LETTER, Desk
from tests.fixtures.portal import STATEMENTS, Account, PortalUnderTest, Visit, Visitor


async def test_from_login_to_a_resolved_ticket_that_is_gone(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """A producer sends a request, sees its number at once, its status change by itself, and it is gone at last."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account)
    for words in (producer_account.name, producer_account.company, producer_account.producer_id or ""):
        await expect(page.locator("main")).to_contain_text(words)
    await expect(page.get_by_role("link", name="Commission Statements")).to_have_attribute("href", STATEMENTS)

    await page.locator("main").get_by_role("link", name="Request Assistance").click()
    await expect(page.get_by_label("Breadcrumb")).to_have_text(re.compile(r"Home\s*Request Assistance"))
    await expect(page.locator("main")).to_contain_text(
        "You can submit your request by selecting from the list of options below."
    )
    await page.locator(f'.menu a[href="{FORM}"]').click()
    await expect(page.get_by_label("Breadcrumb")).to_have_text(
        re.compile(r"Home\s*Request Assistance\s*Group Producer of Record Change")
    )
    tickets = page.locator("#tickets")
    await expect(tickets).to_contain_text(
        "Below is a list of your request tickets that are still open. Request tickets that have been resolved are "
        "considered closed and will no longer be displayed."
    )
    await expect(tickets).to_contain_text("Showing 0 - 0 of 0")

    number = await send(page)
    await expect(row(page, number)).to_contain_text("Received")
    await expect(tickets).to_contain_text("Showing 1 - 1 of 1")
    await page.evaluate("window.notReloaded = true")
    closed = tickets.get_by_role("link", name="See the closed ones")
    await closed.focus()
    for status, label in (("in-review", "In review"), ("approved", "Approved")):
        assert desk.staff.move(number, status).status_code == 200
        await expect(row(page, number)).to_contain_text(label)
        await expect(closed).to_be_focused()
    assert desk.staff.move(number, "resolved").status_code == 200
    await expect(row(page, number)).to_have_count(0)
    await expect(tickets).to_contain_text("Showing 0 - 0 of 0")
    assert await page.evaluate("window.notReloaded")

    await closed.click()
    await expect(row(page, number)).to_contain_text("Resolved")


async def test_the_form_bears_the_issue_s_words(visit: Visit, producer_account: Account) -> None:
    """Labels, the words above the letter, the native file input, and the form to download stand where they should."""
    visitor = await visit()
    await visitor.log_in(producer_account, FORM)
    text = await visitor.page.locator("main").inner_text()
    expected = [
        "Group Producer of Record Change",
        "Download the Group POR Transfer Form",
        "Line of Business: *",
        "Account Number: *",
        "Account Name: *",
        "Submit the Group POR Transfer Form.",
        "POR Documentation: *",
        "Submit",
        "Existing Request Tickets",
        "Date",
        "Ticket Number",
        "Request Type",
        "Status",
        "Showing 0 - 0 of 0",
    ]
    at = 0
    for words in expected:
        assert words in text[at:], f"{words!r} is missing, or not in its place"
        at = text.index(words, at) + len(words)
    assert await visitor.page.get_by_label("POR Documentation").get_attribute("type") == "file"
    await visitor.open("/assistance/portal-password")
    for words in ("Never include a password; we do not need it.", "You can set a new password right away"):
        await expect(visitor.page.locator("main")).to_contain_text(words)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_nothing_typed_or_chosen_is_lost(
    visit: Visit, producer_account: Account, desk: Desk, *, has_scripts: bool
) -> None:
    """With a wrong field the error stands beside it, and the letter need not be chosen again."""
    visitor = await visit(has_scripts=has_scripts)
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page, account_number="12")
    await page.get_by_label("Comments").fill("Two\nlines")
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    await page.get_by_role("button", name="Submit").click()

    wrong = page.get_by_label("Account Number")
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_have_accessible_description(re.compile("digits"))
    await expect(wrong).to_have_value("12")
    await expect(page.get_by_label("Line of Business")).to_have_value("group-medical")
    await expect(page.get_by_label("Account Name")).to_have_value("Harbor & Pine <b>Woodworks</b>, Inc.")
    await expect(page.get_by_label("Comments")).to_have_value("Two\nlines")
    await expect(page.locator(".kept")).to_contain_text("signed letter.pdf")
    await page.get_by_role("link", name="Skip to content").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await expect(page.locator(".kept")).to_contain_text("signed letter.pdf")

    await wrong.fill("041872")
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    letter = desk.staff.ticket(number).json()["letters"][0]
    assert letter["filename"] == "signed letter.pdf"
    assert desk.staff.letter(letter["letter_id"]).content == LETTER


async def test_a_wrong_file_is_refused_beside_its_field(visit: Visit, producer_account: Account) -> None:
    """A text file named .pdf is told at the file input; what was typed stays, the file does not."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([TEXT])
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_label("POR Documentation")).to_have_accessible_description(re.compile("not a PDF"))
    await expect(page.get_by_label("Account Number")).to_have_value("041872")
    await expect(page.locator(".kept")).to_have_count(0)
    await expect(page.locator("#tickets")).to_contain_text("Showing 0 - 0 of 0")


async def test_what_is_too_large_takes_nothing_else_with_it(visit: Visit, producer_account: Account) -> None:
    """Files that fit stay chosen, too long a text leaves the letter, and too many files come back with the form."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    files, kept, problem = page.get_by_label("POR Documentation"), page.locator(".kept"), page.locator("#problem")
    large: FilePayload = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": LETTER * 2}
    await files.evaluate("(input, most) => input.dataset.most = most", len(LETTER))
    await files.set_input_files([large, PDF])
    await expect(page.locator(".field .error")).to_contain_text("scan.pdf: a file may be at most")
    assert await files.evaluate("input => [...input.files].map(file => file.name)") == [PDF["name"]]
    await page.get_by_label("Comments").fill("x" * 9_000)
    await page.get_by_role("button", name="Submit").click()
    await expect(page.get_by_label("Comments")).to_have_accessible_description(re.compile("At most 2000 characters"))
    await expect(kept).to_contain_text(PDF["name"])

    await page.get_by_label("Comments").fill("")
    few: list[FilePayload] = [{**PDF, "name": f"{n}.pdf"} for n in range(21)]
    many: list[FilePayload] = [{**each, "buffer": b"%"} for each in few * 5]
    await files.set_input_files(few)
    await page.get_by_role("button", name="Submit").click()
    await expect(problem).to_contain_text("At most 10 letters")
    await expect(kept).to_have_count(22)
    await files.set_input_files(many)
    await page.get_by_role("button", name="Submit").click()
    await expect(problem).to_contain_text("We could not read that. Go back and check what you typed.")
    await expect(kept).to_have_count(22)


async def test_a_double_click_and_a_reload_give_one_ticket(visit: Visit, producer_account: Account) -> None:
    """However often the same form is sent, there is one ticket."""
    visitor = await visit(has_scripts=False)
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    await page.get_by_role("button", name="Submit").dblclick()
    number = await page.locator("#sent a").inner_text()
    await page.reload()
    await expect(page.locator("#sent a")).to_have_text(number)
    await expect(page.locator("#tickets")).to_contain_text("Showing 1 - 1 of 1")


async def test_files_are_dropped_and_their_upload_is_seen(visit: Visit, producer_account: Account) -> None:
    """A file dropped onto the field is chosen; while it is sent the button is off and a bar shows how far it is."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    dropped = await page.evaluate_handle(
        """bytes => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([new Uint8Array(bytes)], "dropped.pdf", {type: "application/pdf"}));
            return dropped;
        }""",
        list(LETTER),
    )
    field = page.locator("[data-drop]")
    await field.dispatch_event("dragover", {"dataTransfer": dropped})
    await expect(field).to_have_class(re.compile("over"))
    await field.dispatch_event("drop", {"dataTransfer": dropped})
    assert await page.get_by_label("POR Documentation").evaluate("input => input.files[0].name") == "dropped.pdf"
    is_text_taken = await page.get_by_label("Comments").evaluate(
        """field => {
            const dragged = new DataTransfer();
            dragged.setData("text/plain", "words");
            return field.dispatchEvent(new DragEvent("drop", {dataTransfer: dragged, bubbles: true, cancelable: true}));
        }"""
    )
    assert is_text_taken
    await page.evaluate(
        """() => new MutationObserver(() => {
            const bar = document.querySelector("progress");
            const button = document.querySelector("form.card button");
            if (bar) window.seen = [bar.getAttribute("aria-label"), button.disabled];
        }).observe(document.body, {childList: true, subtree: true, attributes: true})"""
    )
    await page.get_by_role("button", name="Submit").click()
    await expect(page.locator("#sent a")).to_be_visible()
    assert await page.evaluate("window.seen") == ["Sending", True]


async def test_the_list_is_sorted_by_each_column_and_paged(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """Each of the four heads sorts up and down; beyond ten tickets there are pages; a new one is seen from any."""
    token = desk.mint.producer(producer_account.producer_id or "", email=producer_account.email)
    gateway = desk.anybody(token)
    fields = {
        "request_type": "group-por-change",
        "line_of_business": "group-dental",
        "account_number": "000001",
        "account_name": "A",
    }
    phone = {"request_type": "contact-info", "phone": "312-555-0142"}
    requests = [*[(fields, LETTER)] * 10, (phone, None)]
    numbers = [gateway.post_request(*each, wait=20).json()["ticket_number"] for each in requests]
    desk.staff.move(numbers[3], "in-review")
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    tickets = page.locator("#tickets")
    rows = tickets.locator("tbody tr")
    for name, lowest in (
        ("Date", numbers[0]),
        ("Request Type", numbers[-1]),
        ("Status", numbers[3]),
        ("Ticket Number", numbers[0]),
    ):
        head = page.get_by_role("columnheader", name=name)
        await head.get_by_role("link").click()
        await expect(rows.first).to_contain_text(lowest)
        await expect(head).to_have_attribute("aria-sort", "ascending")
        await head.get_by_role("link").click()
        await expect(row(page, lowest)).to_have_count(0)  # the last, and so on the second page
        await expect(head).to_have_attribute("aria-sort", "descending")
    await page.get_by_role("columnheader", name="Ticket Number").get_by_role("link").click()
    await expect(rows.first).to_contain_text(numbers[0])
    await expect(tickets).to_contain_text("Showing 1 - 10 of 11")
    await page.get_by_role("link", name="Next").press("Enter")
    await expect(tickets).to_contain_text("Showing 11 - 11 of 11")
    await expect(rows).to_have_count(1)
    await expect(tickets).to_contain_text(numbers[-1])
    await expect(tickets).to_be_focused()

    number = await send(page)
    desk.staff.move(numbers[-2], "in-review")
    await expect(row(page, numbers[-2])).to_contain_text("In review")
    await expect(row(page, number)).to_contain_text("Received")


async def test_a_new_letter_answers_what_the_desk_asks_for(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """The ticket's page tells what happened and why, gives the letter back as it was, and takes a new one."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    number = await send(page)
    await page.locator("#sent a").click()
    await page.get_by_role("link", name="signed letter.pdf").focus()
    desk.staff.move(number, "action-needed", reason="signature-missing", comment="Page 2 <i>is not</i> signed.")
    await expect(page.locator("h1")).to_contain_text("Action needed")
    await expect(page.get_by_role("link", name="signed letter.pdf")).to_be_focused()
    await expect(page.locator(".timeline")).to_contain_text("Page 2 <i>is not</i> signed.")

    link = await page.get_by_role("link", name="signed letter.pdf").get_attribute("href")
    letter = await page.request.get(f"{visitor.url}{link}")
    assert await letter.body() == LETTER
    assert "signed%20letter.pdf" in letter.headers["content-disposition"]

    better: FilePayload = {"name": "better.pdf", "mimeType": "application/pdf", "buffer": LETTER + b"\n%"}
    await page.get_by_label("New letter").set_input_files([better])
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".letters")).to_contain_text("better.pdf")
    await expect(page.locator(".timeline")).to_contain_text("A further letter came")


async def test_words_are_an_answer_too(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """Asked for something, a producer answers in words alone; staff reads them; what comes too late is told so."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    number = await send(page)
    desk.staff.move(number, "action-needed", reason="information-missing")
    await visitor.open(f"/tickets/{number}")
    await page.get_by_label("Comment").fill("The group moved in May.")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#sent")).to_contain_text("We have received your answer.")
    await expect(page.locator("h1")).to_contain_text("In review")
    await expect(page.locator(".timeline")).to_contain_text("The group moved in May.")
    assert desk.staff.ticket(number).json()["staff"]["answered"]

    await page.get_by_label("Comment").fill("And one more thing.")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#problem")).to_contain_text("not waiting for a reply")
    await expect(page.get_by_label("Comment")).to_have_value("And one more thing.")
    desk.staff.move(number, "rejected", reason="other")
    await page.get_by_label("New letter").set_input_files([PDF])
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#problem")).to_contain_text("closed")
    await expect(page.get_by_label("Comment")).to_have_value("And one more thing.")


async def test_a_producer_takes_his_request_back(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """A request is withdrawn on its page, with a reason or without; once it is approved it is not offered any more."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    number = await send(page)
    await visitor.open(f"/tickets/{number}")
    await page.get_by_text("Withdraw this request").click()
    await page.get_by_label("Why").fill("The group has changed its mind.")
    for status in ("in-review", "approved"):
        desk.staff.move(number, status)
    await page.get_by_role("button", name="Withdraw").click()
    await expect(page.locator("#problem")).to_contain_text("changed")
    await visitor.open(f"/tickets/{number}")
    await expect(page.get_by_text("Withdraw this request")).to_have_count(0)

    desk.staff.move(number, "in-review")
    await visitor.open(f"/tickets/{number}")
    await page.get_by_text("Withdraw this request").click()
    await page.get_by_label("Why").fill("The group has changed its mind.")
    await page.get_by_role("button", name="Withdraw").click()
    await expect(page.locator("h1")).to_contain_text("Withdrawn")
    await expect(page.locator(".timeline")).to_contain_text("The group has changed its mind.")


async def test_nothing_is_lost_when_the_desk_or_the_session_is_gone(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """With the gateway away, or logged out meanwhile, what was typed and chosen stays, and is sent a moment later."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    desk.stack["intake"].stop()
    try:
        await page.get_by_role("button", name="Submit").click()
        await expect(page.locator("#problem")).to_contain_text("Nothing is lost", timeout=20_000)
        await expect(page.get_by_label("Account Number")).to_have_value("041872")
        await expect(page.locator(".kept")).to_contain_text("signed letter.pdf")
        assert (await page.request.get(f"{visitor.url}/readyz")).status == 503
    finally:
        desk.restart("intake")
    assert (await page.request.get(f"{visitor.url}/readyz")).status == 200
    await page.context.clear_cookies()
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    await page.locator(".kept input").uncheck()
    await page.get_by_role("button", name="Submit").click()
    await expect(page.locator("#problem")).to_contain_text("Log in again in another tab")
    other = Visitor(visitor.url, await page.context.new_page())
    await other.log_in(producer_account)
    await expect(page.get_by_label("Account Number")).to_have_value("041872")
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    await expect(page.locator("#tickets")).to_contain_text("Showing 1 - 1 of 1")

    await page.get_by_label("Account Number").fill("027715")
    await page.context.clear_cookies()
    desk.staff.move(number, "in-review")
    async with page.expect_popup() as opened:
        await page.locator("#ended a").click()
    again = Visitor(visitor.url, await opened.value)
    await again.fill_in_login(producer_account)
    assert again.page.url == page.url
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#ended")).to_have_count(0)
    await expect(row(page, number)).to_contain_text("In review")
    await expect(page.get_by_label("Account Number")).to_have_value("027715")
    await page.get_by_role("button", name="Log Out").click()
    await expect(page.locator("h1")).to_have_text("Log In")


async def test_what_is_anothers_is_not_there(visit: Visit, portal: PortalUnderTest, desk: Desk) -> None:
    """Somebody else's ticket and letter are pages that do not exist, and staff's pages are not a producer's."""
    owner, stranger = await visit(), await visit()
    await owner.log_in(portal.newcomer(), FORM)
    number = await send(owner.page)
    await stranger.log_in(portal.newcomer())
    letter = desk.staff.ticket(number).json()["letters"][0]["letter_id"]
    for path in (f"/tickets/{number}", f"/letters/{letter}", f"/letters/{letter}/shown", "/tickets/SR-00000000-0"):
        answer = await stranger.page.goto(stranger.url + path)
        assert answer is not None
        assert answer.status in {400, 404}, path
    await stranger.open(f"/desk/{number}")
    assert stranger.page.url == stranger.url + "/"


async def test_a_request_is_taken_while_tickets_is_away(
    visit: Visit, producer_account: Account, desk: Desk, portal: PortalUnderTest
) -> None:
    """With tickets away a request is received all the same, and the list comes back by itself."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    desk.stack["tickets"].stop()
    try:
        await page.get_by_role("button", name="Submit").click()
        await expect(page.locator("#sent")).to_contain_text("We have received", timeout=20_000)
        await expect(page.locator("#tickets")).to_contain_text("cannot be shown right now")
        await visitor.open(f"{FORM}?sent=SR-00000001-9")
        await expect(page.locator("#sent")).to_contain_text("SR-00000001-9")
    finally:
        desk.restart("tickets")
    await expect(page.locator("#tickets")).to_contain_text("Showing 1 - 1 of 1", timeout=15_000)
