"""What happened to a ticket, in the words of whoever looks at it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.forms import worded
from portal.gateway import Json
from portal.identity import User

DESK = "desk"  # what the desk does by itself


@dataclass(frozen=True)
class Step:
    """One thing that happened: when, who did what, why, and what was said with it."""

    at: str
    what: str
    who: str
    reason: str
    said: tuple[str, ...]


def timeline_of(ticket: Json, viewer: User, name_of: Callable[[str], str]) -> list[Step]:
    """The history, the newest first; ``name_of`` says what a person of staff is called."""
    return [
        Step(
            at=entry["at"],
            what=_what(entry, viewer, name_of),
            who=_who(entry["actor"], ticket, viewer, name_of),
            reason=_why(entry),
            said=tuple(entry[name] for name in ("message", "comment", "note") if entry[name]),
        )
        for entry in reversed(ticket["history"])
    ]


def _what(entry: Json, viewer: User, name_of: Callable[[str], str]) -> str:
    kind = entry["type"].split(".")[2]
    if kind == "worked":
        return {
            "claimed": "Claimed",
            "released": "Given back to all",
            "reassigned": f"Given to {name_of(entry['assignee'] or '')}",
            "noted": "Note for staff",
        }[entry["act"]]
    if kind == "status-changed":
        return f"{worded(entry['previous_status'])} to {worded(entry['status'])}"
    if kind == "message-added":
        return "The desk wrote to the producer" if viewer.is_staff else "The desk wrote to you"
    return {"opened": f"Opened: {worded(entry['status'])}", "letter-added": "A further letter came"}[kind]


def _why(entry: Json) -> str:
    """The sentence of the mail; where staff wrote its own, the reason's name alone."""
    if not entry["reason"]:
        return ""
    return f"{worded(entry['reason'])}." if entry["message"] else str(entry["reason_text"])


def _who(actor: str, ticket: Json, viewer: User, name_of: Callable[[str], str]) -> str:
    if actor == DESK:
        return "Automatic"
    if actor == ticket["producer_id"]:
        return f"Producer {actor}" if viewer.is_staff else "You"
    return name_of(actor)
