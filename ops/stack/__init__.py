"""The local stack: every server and service as a process of its own, on 127.0.0.1 and free ports, below one folder."""

from ops.stack.connections import Connection, Login, MailSink, ObjectStore, PortalDoor, StackInfo
from ops.stack.processes import Process, ProcessFailed
from ops.stack.services import SERVICES
from ops.stack.signals import ended_by_signals
from ops.stack.stack import Stack, StackError
from ops.stack.tools import MissingTool, Tools

__all__ = [
    "SERVICES",
    "Connection",
    "Login",
    "MailSink",
    "MissingTool",
    "ObjectStore",
    "PortalDoor",
    "Process",
    "ProcessFailed",
    "Stack",
    "StackError",
    "StackInfo",
    "Tools",
    "ended_by_signals",
]
