"""The error statuses of each route that the gateway shows for its owner: said once, for both."""

from http import HTTPStatus

_ANY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE)

LIST_TICKETS = _ANY
SHOW_TICKET = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, *_ANY)
MOVE_TICKET = (
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    *SHOW_TICKET,
)
SHOW_LETTER = (HTTPStatus.NOT_FOUND, *_ANY)
