"""The command line as people use it: every command but `serve` prints a readable page, or JSON with `--json`."""

from __future__ import annotations

from typing import Annotated

import typer

from kubesteward.cli import (
    actions,
    ask,
    audit,
    brain,
    cluster,
    console,
    demo,
    doctor,
    evaluate,
    install,
    investigate,
    policy,
    rehearse,
    stop,
    usage,
)

app = typer.Typer(
    name="kubesteward",
    help="Rehearse every Kubernetes change on a twin of the cluster, and let it through a gate. "
    "Exit codes: 0 done, 1 it could not be done (one sentence says why), 2 wrong command line, "
    "3 the audit log does not verify, 130 interrupted; `simulate` and `check` tell theirs by their own.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from kubesteward import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """What stands before a command."""


parsed_elsewhere = app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
)
"""For commands that read their own words with argparse, for their exit codes and optional values."""


@parsed_elsewhere
def serve(context: typer.Context) -> None:
    """Serve MCP over stdio (the default) or streamable HTTP; `serve --help` shows its options."""
    from kubesteward.cli.serve import serve as run

    run(context.args)


@parsed_elsewhere
def simulate(context: typer.Context) -> None:
    """Rehearse manifests, a patch or an action on a twin of the cluster, for people and pipelines."""
    from kubesteward.cli.simulate import simulate as run

    run(context.args)


@parsed_elsewhere
def check(context: typer.Context) -> None:
    """Check manifests or a cluster for security, reliability and upgrades, for people and pipelines."""
    from kubesteward.cli.check import check as run

    run(context.args)


@parsed_elsewhere
def anomalies(context: typer.Context) -> None:
    """Find what is unlike its past or its siblings, unsteady, stuck, or new in a log."""
    from kubesteward.cli.anomalies import anomalies as run

    run(context.args)


@parsed_elsewhere
def correlate(context: typer.Context) -> None:
    """Find what failures have in common, in one cluster or several; `correlate --help` shows its options."""
    from kubesteward.cli.correlate import correlate as run

    run(context.args)


@parsed_elsewhere
def diagnose(context: typer.Context) -> None:
    """Find out what is wrong and why: the object to blame, the evidence, the fix."""
    from kubesteward.cli.diagnose import diagnose as run

    run(context.args)


@parsed_elsewhere
def forecast(context: typer.Context) -> None:
    """Say what will be used up and when: cpu, memory, disks, pods, quotas, certificates."""
    from kubesteward.cli.forecast import forecast as run

    run(context.args)


@parsed_elsewhere
def rightsize(context: typer.Context) -> None:
    """Compare requests and limits with what was used: over- and under-provisioned containers."""
    from kubesteward.cli.rightsize import rightsize as run

    run(context.args)


@app.command()
def version() -> None:
    """Print the version."""
    _print_version(asked=True)


app.command()(demo.demo)
app.command()(cluster.cluster)
app.command()(actions.approve)
app.command()(actions.reject)
app.command()(actions.actions)
app.command()(stop.stop)
app.command()(stop.resume)
app.command()(console.console)
app.add_typer(audit.app)
app.add_typer(brain.app)
app.add_typer(policy.app)
app.command()(usage.usage)
app.add_typer(usage.budgets)
app.command()(ask.ask)
app.command()(investigate.investigate)
app.command()(investigate.replay)
app.command("eval")(evaluate.evaluate)
app.command()(doctor.doctor)
app.command()(rehearse.rehearse)
app.command()(install.install)
