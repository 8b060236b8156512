"""The ``pordesk`` command: the local stack, the demo, tokens, documents made from the code."""

import json
import logging
import shutil
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.access import HOME, Refused
from ops.bench import BenchFailed
from ops.bench import bench as measure
from ops.demo.story import DemoFailed, Story, last_line
from ops.doctor.commands import doctor
from ops.letter import load_sample, make_letter
from ops.parked.commands import parked
from ops.queues import queues
from ops.stack import MissingTool, ProcessFailed, Stack, StackError, StackInfo, ended_by_signals
from ops.tokens import BANK_SCOPE, STAFF_SCOPE, Mint
from shared.asyncapi import asyncapi_document

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run, watch and operate POR Desk.",
)
# stdout carries the story and, last, one line for machines. What went wrong is on stderr, where $(...) does not eat it.
console = Console()
complaints = Console(stderr=True)

cli.add_typer(parked, name="parked")
cli.command()(queues)
cli.command()(doctor)


@cli.command()
def demo() -> None:
    """Follow a letter through the whole desk on real servers; the last line is JSON."""
    began = time.monotonic()
    folder = HOME / "demo"
    console.rule("[bold]POR Desk: a letter in, a ticket number out, mail to the producer")
    with ended_by_signals(), Stack(HOME, announce=_announce, fresh=True) as stack:
        shutil.rmtree(folder, ignore_errors=True)  # only now: beside another stack the last demo's mails stay
        folder.mkdir()
        story = Story(stack, folder.resolve(), console)
        story.run()
    console.print("\nEverything has stopped.")
    print(last_line({**story.result, "seconds": round(time.monotonic() - began, 1)}))


@cli.command()
def run() -> None:
    """Keep the local stack up until Ctrl-C."""
    with ended_by_signals(), Stack(HOME, announce=_announce) as stack:
        mint = Mint(Path(stack.info.signing_key))
        gateway = stack.info.services["intake"]
        console.print(f"\n[bold]Gateway[/]   {gateway}  (docs: {gateway}/docs)")
        console.print(f"[bold]Bus[/]       {gateway}/asyncapi.json")
        console.print(f"[bold]RabbitMQ[/]  {stack.info.rabbitmq_management.url}")
        console.print(f"[bold]Mails[/]     {stack.info.smtp.maildir}")
        console.print(f"[bold]All URLs and credentials[/]  {(HOME / 'stack.json').resolve()}")
        console.print(f"\n[bold]Portal[/]    {stack.info.portal.url}")
        for login in stack.info.portal.logins:
            console.print(f"  {login.role:9} {login.user_id}  {login.password}", highlight=False, markup=False)
        for who, token in (("producer P1001", mint.producer("P1001")), ("staff", mint.staff())):
            console.print(f"\n[bold]Token, {who}[/]", highlight=False)
            print(token)
        console.print("\nCtrl-C stops everything.")
        _watch(stack)
    console.print("\nEverything has stopped.")


@cli.command()
def token(
    producer: Annotated[str | None, typer.Option(help="For the producer with this id.")] = None,
    staff: Annotated[bool, typer.Option("--staff", help="For a member of staff.")] = False,
    bank: Annotated[bool, typer.Option("--bank", help="With --staff: may also read bank details.")] = False,
    ops: Annotated[bool, typer.Option("--ops", help="For an operator.")] = False,
    email: Annotated[str, typer.Option(help="The producer's address.")] = "",
) -> None:
    """Print an access token for the local stack."""
    if (producer is not None) + staff + ops != 1:
        raise typer.BadParameter("choose one of --producer ID, --staff or --ops")
    if bank and not staff:
        raise typer.BadParameter("--bank needs --staff")
    if producer is not None and not producer.strip():
        raise typer.BadParameter("--producer needs an id, for example P1001")
    mint = Mint(Path(_stack_info().signing_key))
    if producer is not None:
        print(mint.producer(producer, email=email))
    else:
        print(mint.staff(scope=BANK_SCOPE if bank else STAFF_SCOPE) if staff else mint.ops())


@cli.command()
def letter(path: Annotated[Path, typer.Argument(help="Where to write the PDF.")]) -> None:
    """Write a sample letter to try the desk with."""
    try:
        path.write_bytes(make_letter(load_sample()))
    except OSError as error:
        raise Refused(f"Cannot write {path}: {error.strerror}. Choose a file in a folder you can write to.") from None


@cli.command()
def bench(
    requests: Annotated[int, typer.Option(min=1, help="Requests to send, each with its own letter.")] = 1000,
    in_flight: Annotated[int, typer.Option(min=1, help="Requests in flight at once.")] = 32,
    letter_bytes: Annotated[int, typer.Option(min=6000, help="Bytes in each letter.")] = 200_000,
    json_only: Annotated[bool, typer.Option("--json", help="Print only the line of JSON.")] = False,
) -> None:
    """Measure throughput, latency and cost per ticket; the last line is JSON."""
    with ended_by_signals():
        figures = measure(requests, in_flight, letter_bytes, json_only)
    print(json.dumps(figures))
    if figures["lost"] or figures["duplicated"]:
        raise typer.Exit(1)


@cli.command()
def asyncapi() -> None:
    """Print the AsyncAPI document of the whole system."""
    print(json.dumps(asyncapi_document(), indent=2))


def _stack_info() -> StackInfo:
    try:
        return StackInfo.load(HOME)
    except FileNotFoundError:
        raise StackError("No local stack is running here. Start one with: make run") from None


def _announce(text: str) -> None:
    console.print(f"[dim]  {text}[/]", highlight=False)


def _watch(stack: Stack) -> None:
    """Report each part that stops unexpectedly, until Ctrl-C, which is how this is meant to end."""
    try:
        for part in stack.deaths():
            text = f"{part.name} stopped unexpectedly (status {part.exit_status}). Log: {part.log}"
            console.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    except SystemExit as ending:
        if ending.code != 128 + signal.SIGINT:
            raise


def _complain(text: str) -> None:
    complaints.print(text, style="red", highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Run a command; what a person can mend is one line and exit code 2."""
    # Else Python prints what drivers log of a lost connection, tracebacks included, beside that line.
    logging.basicConfig(handlers=[logging.NullHandler()])
    try:
        cli()
    except (Refused, StackError, MissingTool, ProcessFailed) as error:
        _complain(str(error))
        raise SystemExit(2) from None
    except BenchFailed as error:
        _complain(f"The bench failed: {error}.")
        raise SystemExit(1) from None
    except DemoFailed as error:
        _complain(f"The demo failed: {error}. Logs are in {HOME / 'logs'}.")
        raise SystemExit(1) from None
