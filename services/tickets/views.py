"""A ticket as callers see it: a row of the grid, or the ticket's own page. Pure."""

from typing import Any

from services.tickets import history, workflow
from services.tickets.store import Document
from shared.contracts.requests import FIRST_LABEL
from shared.contracts.ticket_acts import ReasonTexts
from shared.contracts.ticket_views import StaffView, TicketDetail, TicketLetter, TicketSummary
from shared.contracts.tickets import Status, is_about_letter


def summary_of(ticket: Document, staff: StaffView | None) -> TicketSummary:
    """One row of the grid; ``staff`` is what only staff may see."""
    return TicketSummary.model_validate(_summary(ticket, staff))


def detail_of(ticket: Document, staff: StaffView | None) -> TicketDetail:
    """The ticket's own page."""
    return TicketDetail.model_validate(
        {
            **_summary(ticket, staff),
            "producer_id": ticket["producer_id"],
            "form": ticket["form"],
            "letters": [_letter(each) for each in ticket["letters"]],
            "history": history.timeline_of(ticket, for_staff=staff is not None),
            "version": ticket["version"],
            "allowed_moves": workflow.MOVES[Status(ticket["status"])],
        }
    )


def reason_texts() -> ReasonTexts:
    """Every reason with its text, and the moves it is meant for."""
    return ReasonTexts.model_validate(
        {
            "items": [
                {
                    "reason": reason,
                    "text": reason.sentence,
                    "statuses": statuses,
                    "about_letter": is_about_letter(reason),
                }
                for reason, statuses in workflow.MEANT_FOR.items()
            ]
        }
    )


def _summary(ticket: Document, staff: StaffView | None) -> dict[str, Any]:
    status = Status(ticket["status"])
    return {
        "date": ticket["opened_at"],
        "ticket_number": ticket["number"],
        "request_type": ticket["request_type"],
        "request_type_label": ticket.get("request_type_label", FIRST_LABEL),
        "status": status,
        "status_label": status.label,
        "request_id": ticket["_id"],
        "staff": staff,
    }


def _letter(kept: Document) -> TicketLetter:
    letter = TicketLetter.model_validate(kept)
    return letter.model_copy(update={"fault_text": letter.fault.sentence}) if letter.fault else letter
