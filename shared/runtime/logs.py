"""Structured logs: one line per request or message, never a body, a letter or an address."""

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import ExcInfo, FilteringBoundLogger, Processor

log: FilteringBoundLogger = structlog.get_logger()


def configure_logs(service: str, log_format: Literal["json", "console"]) -> None:
    """Send our lines, and the warnings of libraries, to stdout: one JSON object (or line) each."""
    for_machines = log_format == "json"
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.ExceptionRenderer(_where if for_machines else _where_in_lines),
    ]
    render: Processor = structlog.processors.JSONRenderer() if for_machines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*common, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.contextvars.bind_contextvars(service=service)


def _where_in_lines(exc_info: ExcInfo) -> str:
    return "\n".join(_where(exc_info))


def _where(exc_info: ExcInfo) -> list[str]:
    """An error as its types and places; its text may quote what somebody typed."""
    lines: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        lines.append(type(error).__qualname__)
        trace: Any = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return lines
