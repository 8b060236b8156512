"""Structured logs: one line per request or message, never a body, a letter or an address."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import FilteringBoundLogger

log: FilteringBoundLogger = structlog.get_logger()


def configure_logs(service: str, log_format: Literal["json", "console"]) -> None:
    """Send our own lines and those of the libraries to stdout, one JSON object (or line) each."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    render: list[structlog.typing.Processor] = (
        # An exception is named by type and place; its text may quote what somebody typed.
        [structlog.processors.ExceptionRenderer(_trace), structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("root").setLevel(logging.INFO)
    logging.getLogger().setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def _trace(exc_info: object) -> list[dict[str, object]]:
    frames = structlog.tracebacks.ExceptionDictTransformer(
        show_locals=False, max_frames=8, use_rich=False
    )(exc_info)  # type: ignore[arg-type]  # structlog passes its own ExcInfo here
    for frame in frames:
        frame["exc_value"] = "(hidden)"
    return frames
