"""Which parked messages are meant: the options that all commands share."""

from typing import Annotated

import typer
from pymongo.errors import PyMongoError

from ops.access import OperatorSettings, Refused, open_database
from ops.parked.parcel import Choice

MessageId = Annotated[str | None, typer.Option("--id", help="The message with this id.")]
Ticket = Annotated[str | None, typer.Option("--ticket", help="Messages about this ticket.")]
Request = Annotated[str | None, typer.Option("--request", help="Messages of this request.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Messages parked for this reason.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Messages from this work queue.")]
Everything = Annotated[bool, typer.Option("--all", help="All parked messages.")]


def choice_of(
    desk: OperatorSettings,
    message_id: str | None,
    ticket: str | None,
    request: str | None,
    reason: str | None,
    queue: str | None,
) -> Choice:
    """Which messages these options mean.

    Raises:
        Refused: a ticket is named, and its request cannot be found out now.
    """
    of_ticket = _request_of(desk, ticket) if ticket else None
    return Choice(message_id, ticket, of_ticket, request, reason, queue)


def _request_of(desk: OperatorSettings, ticket: str) -> str | None:
    """The request behind a ticket, where the database is known; messages before the ticket name only the request."""
    if desk.mongodb_url is None:
        return None
    try:
        with open_database(desk) as client:
            found = client[desk.mongodb_database]["tickets"].find_one({"number": ticket}, {"_id": 1})
    except PyMongoError as error:
        raise Refused(
            f"MongoDB cannot be asked ({type(error).__name__}), and messages from before the ticket name only its "
            "request. Check POR_MONGODB_URL, or use --request."
        ) from None
    return str(found["_id"]) if found else None


def meant(choice: Choice, everything: bool) -> Choice:
    """The choice, if it is clear what is meant.

    Raises:
        Refused: nothing is said, or --all beside something else.
    """
    if everything == (choice != Choice()):
        raise Refused(
            "Choose messages with --id, --ticket, --request, --reason or --queue, or take them all with --all."
        )
    return choice
