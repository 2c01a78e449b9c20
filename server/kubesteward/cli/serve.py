"""`kubesteward serve`: the MCP server over stdio or streamable HTTP.

Parsed with argparse, not typer: this path decides how long a host waits for its first answer.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from kubesteward.cli.exits import one_sentence

DESCRIPTION = """\
Serve MCP. Without options: over standard input and output, with your kubeconfig's current context, at autonomy 1
(observe and rehearse, execute nothing). With no kubeconfig at all, the embedded cluster stands in and says so."""

BY_HAND = """\
This speaks MCP over standard input and output: an MCP client starts it (`kubesteward install CLIENT` tells it how).
To look around by hand, try `kubesteward demo`. Ctrl-C ends this."""


def parser() -> argparse.ArgumentParser:
    """Every option also has an environment variable, KUBESTEWARD_ and its name in capitals."""
    made = argparse.ArgumentParser("kubesteward serve", description=DESCRIPTION)
    made.add_argument("--transport", choices=["stdio", "http"], default="stdio")
    made.add_argument("--host", dest="http_host", help="address to listen on with --transport http (127.0.0.1)")
    made.add_argument("--port", dest="http_port", type=int, help="port to listen on with --transport http (8765)")
    made.add_argument("--kubeconfig", help="path of the kubeconfig ($KUBECONFIG, then ~/.kube/config)")
    made.add_argument("--context", help="context that is used when a call names no cluster")
    made.add_argument(
        "--bundle", help="folder or file of `kubectl get -o yaml` output to work on, instead of a cluster"
    )
    made.add_argument("--embedded", metavar="SCENARIO", nargs="?", const="incident", help="use the embedded cluster")
    levels = "1 advisor (default), 2 copilot, 3 guardian, 4 agent"
    made.add_argument("--autonomy", type=int, choices=[1, 2, 3, 4], help=levels)
    made.add_argument("--autonomy-scopes", help="other levels for clusters and namespaces: prod=1;prod/pay=2;*/dev-*=3")
    made.add_argument("--allow-auto-fix", help="fixes that run alone at autonomy 3, as restart_on_oom, comma-separated")
    made.add_argument("--policies", help="guardrails, comma-separated: packs and YAML files (default)")
    made.add_argument("--read-only", action="store_true", default=None, help="refuse every tier-4 tool")
    made.add_argument("--prometheus-url", help="Prometheus of the current context, or context=address for each")
    made.add_argument("--console", action="store_true", default=None, help="serve the approvals page too, on loopback")
    made.add_argument("--console-port", type=int, help="port of the approvals page (0: the system chooses)")
    made.add_argument("--state-dir", help="where actions, approvals and the audit log are kept")
    return made


def serve(arguments: list[str]) -> None:
    """Run until the client goes away or Ctrl-C; exits with a code of `exits`."""
    options: dict[str, Any] = vars(parser().parse_args(arguments))
    transport, scenario = options.pop("transport"), options.pop("embedded")
    given = {name: value for name, value in options.items() if value is not None}
    from kubesteward.mcp.serve import main
    from kubesteward.settings import Settings

    if transport == "stdio" and sys.stdin.isatty():
        print(BY_HAND, file=sys.stderr)  # noqa: T201 - standard output belongs to the protocol
    with one_sentence():
        if scenario is not None:
            from kubesteward.embedded.scenarios import check

            check(scenario)
        settings = Settings.load(**given)
        if settings.bundle is not None and not settings.bundle.exists():
            raise ValueError(f"no bundle is at {settings.bundle}. Give a folder or file of `kubectl get -o yaml`.")
        main(settings, transport=transport, scenario=scenario)
