"""Logs: one line per request, never what somebody typed, a letter, an address or an error's text."""

import sys

import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def configure_logs() -> None:
    """One JSON object a line, to stdout."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service="portal")


def places(error: BaseException) -> list[str]:
    """An error as its type and the places it came by."""
    lines = [type(error).__qualname__]
    trace = error.__traceback__
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return lines
