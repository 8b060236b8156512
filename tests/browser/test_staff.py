"""The staff's way through the portal, in a real browser before the real desk."""

import re

from playwright.async_api import FilePayload, expect

from tests.browser.steps import FORM, row, send
from tests.fixtures.desk import LETTER, Desk
from tests.fixtures.portal import STAFF, Account, Visit, Visitor

BETTER: FilePayload = {"name": "better.pdf", "mimeType": "application/pdf", "buffer": LETTER + b"\n%"}


async def move(visitor: Visitor, status: str, **more: str) -> None:
    """Move the ticket that is open."""
    await visitor.page.get_by_label("New status").select_option(status)
    if "reason" in more:
        await visitor.page.get_by_label("Reason").select_option(more["reason"])
    if "comment" in more:
        await visitor.page.get_by_label("Comment").fill(more["comment"])
    await visitor.page.get_by_role("button", name="Move").click()


async def test_from_the_queue_to_action_needed_to_a_new_letter_to_resolved(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """Staff asks for a better letter and says why, the producer is mailed and sends one, and staff resolves it."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)

    await staff.log_in(STAFF)
    await expect(staff.page.locator("h1")).to_have_text("Queue")
    await row(staff.page, number).get_by_role("link").click()
    await expect(staff.page.locator("main")).to_contain_text(producer_account.producer_id or "")
    letter = staff.page.locator("iframe")
    shown = await staff.page.request.get(staff.url + (await letter.get_attribute("src") or "").partition("#")[0])
    assert await shown.body() == LETTER
    assert shown.headers["content-type"] == "application/pdf"
    assert shown.headers["content-disposition"] == "inline"
    assert "frame-ancestors 'self'" in shown.headers["content-security-policy"]

    await move(staff, "action-needed", comment="Page 2, please.")
    await expect(staff.page.locator("#problem")).to_contain_text(re.compile("reason", re.IGNORECASE))
    await expect(staff.page.get_by_label("Comment")).to_have_value("Page 2, please.")
    await move(staff, "action-needed", reason="signature-missing")
    await expect(staff.page.locator("h1")).to_contain_text("Action needed")
    assert any("Action needed" in mail["Subject"] for mail in desk.mails(number, 2))

    await row(producer.page, number).get_by_role("link").click()
    await expect(producer.page.locator(".timeline")).to_contain_text("Page 2, please.")
    await producer.page.get_by_label("New letter").set_input_files([BETTER])
    await producer.page.get_by_role("button", name="Send").click()
    await expect(producer.page.locator(".letters")).to_contain_text("better.pdf")

    await staff.open(f"/desk/{number}")
    await expect(letter).to_have_attribute("title", "better.pdf")
    desk.staff.move(number, "in-review")  # where the letter itself has not brought it there
    await staff.open(f"/desk/{number}")
    for status, label in (("approved", "Approved"), ("resolved", "Resolved")):
        await move(staff, status)
        await expect(staff.page.locator("h1")).to_contain_text(label)
    await expect(staff.page.get_by_label("New status")).to_have_count(0)
    await staff.open("/desk")
    await expect(row(staff.page, number)).to_have_count(0)


async def test_nobody_works_over_a_colleagues_change(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """A move on a ticket that has changed since it was read does nothing, and says so."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    desk.staff.move(number, "on-hold", reason="waiting-for-carrier")
    await move(staff, "in-review")
    await expect(staff.page.locator("#problem")).to_be_visible()
    await expect(staff.page.locator("h1")).to_contain_text("On hold")
