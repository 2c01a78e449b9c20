"""The one settings object: frozen, read once at start from KUBESTEWARD_* variables and the command line.

The field descriptions are the help text. Every start of the server imports this, so nothing else is imported here.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kubesteward_tools.errors import InvalidArguments

PREFIX = "KUBESTEWARD_"


def data_dir(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where this platform keeps an application's data (XDG base directories, Apple's and Microsoft's conventions)."""
    home = Path.home()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "kubesteward"
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "kubesteward"
    return Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "kubesteward"


class Settings(BaseModel):
    """What the operator decides. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kubeconfig: Path | None = Field(None, description="kubeconfig file; default: $KUBECONFIG, then ~/.kube/config")
    context: str | None = Field(None, description="context that is used when a call names no cluster")
    bundle: Path | None = Field(
        None, description="folder or file of `kubectl get -o yaml` output, instead of a cluster"
    )
    write_kubeconfig: Path | None = Field(
        None, description="kubeconfig file with the credentials for changes; default: those that are read with"
    )
    write_context: str = Field(
        "", description="its context for the current one, or `context=write-context` for each; default: the same names"
    )
    namespaces: tuple[str, ...] = Field(
        (), description="where to look for what may not be listed across the cluster, comma-separated"
    )
    history_minutes: float = Field(60.0, gt=0, description="how far back every write to a cluster is remembered")
    history_mb: int = Field(64, ge=1, description="most memory for that, for each cluster")
    cluster_sets: str = Field(
        "", description="sets of clusters that calls may name as @prod: `prod=a,b;stage=c-*`, with names and patterns"
    )
    state_dir: Path = Field(
        default_factory=lambda: data_dir(os.environ), description="where actions, approvals and the audit log are kept"
    )
    audit_anchor: Path | None = Field(
        None, description="file to which signed checkpoints of the audit log are copied, best out of this user's hands"
    )
    audit_webhook: str = Field(
        "", repr=False, description="https address to which signed checkpoints of the audit log are sent"
    )
    audit_webhook_token: Path | None = Field(None, description="file with the bearer token that it wants")
    autonomy: int = Field(
        1,
        ge=1,
        le=4,
        description="1 advisor: executes nothing; 2 copilot: every action needs a person; 3 guardian: the fixes of"
        " allow_auto_fix run alone; 4 agent: runs alone within the hourly limit",
    )
    autonomy_scopes: str = Field(
        "", description="other levels for clusters and namespaces: `prod-eu=1;prod-eu/payments=2;*/dev-*=3`"
    )
    allow_auto_fix: tuple[str, ...] = Field(
        (), description="fixes that run alone at autonomy 3, comma-separated: restart_on_oom, delete_evicted_pods, ..."
    )
    auto_pods_per_hour: float = Field(
        5.0, ge=0, le=100, description="percent of the pods of a cluster, and of a namespace, changed alone in an hour"
    )
    exec_commands: tuple[str, ...] = Field(
        (),
        description="commands that exec_in_pod may ask to run in containers, comma-separated,"
        " such as `cat /etc/resolv.conf, ps *`; none: switched off",
    )
    policies: tuple[str, ...] = Field(
        ("default",),
        description="guardrails, comma-separated: packs (default, production, freeze-window, strict) and YAML files",
    )
    read_only: bool = Field(False, description="refuse every tool that proposes a change")
    principal: str = Field(
        default_factory=lambda: f"local:{_user()}",
        description="who stands behind a stdio connection, for the audit log",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="how much goes to stderr")
    call_timeout: float = Field(50.0, gt=0, description="longest time for one tool call that reads")
    approval_wait: float = Field(
        20.0, gt=0, description="longest wait for an approved change before a handle is returned"
    )
    prometheus_url: str = Field(
        "",
        repr=False,
        description="Prometheus of the current context, or `context=address` for each, comma-separated",
    )
    prometheus_token: str = Field("", repr=False, description="bearer token that Prometheus wants")
    plain_http: bool = Field(
        False, description="let Prometheus and others be called without encryption at public addresses too"
    )
    http_host: str = Field("127.0.0.1", description="address to listen on; others than loopback need a token")
    http_port: int = Field(8765, ge=0, le=65535, description="port to listen on")
    http_token: str = Field("", repr=False, description="bearer token that HTTP clients must send")
    http_tokens: Path | None = Field(None, description="file of `principal token` lines, one person or service each")
    http_allowed_hosts: tuple[str, ...] = Field((), description="values of Host that are accepted, comma-separated")
    http_allowed_origins: tuple[str, ...] = Field((), description="values of Origin that are accepted, comma-separated")
    oauth_issuer: str = Field("", description="OAuth issuer whose access tokens HTTP clients may send")
    oauth_audience: str = Field(
        "", description="address that clients reach this server at, with /mcp: whom the tokens have to be for"
    )
    oauth_jwks_url: str = Field("", description="the issuer's keys; default: where its metadata says")
    oauth_scopes: tuple[str, ...] = Field((), description="scopes that every token needs, comma-separated")
    oauth_tier_scopes: bool = Field(
        False,
        description="tools of tiers 1-2, 3 and 4 need kubesteward.read, kubesteward.recommend and kubesteward.propose",
    )
    oauth_user_claim: str = Field("sub", min_length=1, description="claim with the user's name")
    oauth_groups_claim: str = Field("groups", description="claim with the user's groups")
    impersonate: bool = Field(
        False,
        description="read and change clusters as the caller, by Kubernetes impersonation; needs HTTP clients known",
    )
    impersonate_user_prefix: str = Field("", description="put before a caller's name, for instance oidc:")
    impersonate_group_prefix: str = Field("", description="put before the names of a caller's groups")
    rate_reads_per_minute: float = Field(600.0, ge=0, description="calls that read, of one caller; 0: any number")
    rate_proposals_per_minute: float = Field(30.0, ge=0, description="calls that propose changes; 0: any number")

    model_prices: str = Field(
        "",
        description="what models cost that are in no price list, or in another: `my-model=3/15`, dollars for a million"
        " tokens of input and of output, comma-separated",
    )
    local_brains_only: str = Field(
        "",
        description="clusters and namespaces of which brains elsewhere are told nothing: `prod-eu;*/payments`, with"
        " patterns; `*` for all",
    )
    ask_above_usd: float = Field(1.0, ge=0, description="a person is asked before an investigation that may cost more")
    reuse_answers_minutes: float = Field(
        60.0, ge=0, description="how long a brain's answer stands for the same question about an unchanged cluster"
    )
    metrics_token: str = Field(
        "", repr=False, description="bearer token for /metrics; needed where clients have to show one"
    )
    console: bool = Field(False, description="serve the approvals page beside MCP")
    console_host: str = Field(
        "127.0.0.1", description="where the approvals page listens; others than loopback need tokens"
    )
    console_port: int = Field(0, ge=0, le=65535, description="port of the approvals page; 0 lets the system choose")
    console_tokens: Path | None = Field(
        None, description="file of `principal token` lines of people who may decide from elsewhere; no client's tokens"
    )
    console_allowed_hosts: tuple[str, ...] = Field(
        (), description="names under which a proxy serves the approvals page by HTTPS, comma-separated"
    )

    @field_validator(
        "namespaces",
        "policies",
        "allow_auto_fix",
        "exec_commands",
        "http_allowed_hosts",
        "http_allowed_origins",
        "oauth_scopes",
        "console_allowed_hosts",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("exec_commands")
    @classmethod
    def _commands(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from kubesteward_policies.commands import words

            for pattern in value:
                words(pattern)
        return value

    @field_validator("prometheus_url")
    @classmethod
    def _addresses(cls, value: str) -> str:
        if value:
            from kubesteward_tools.prometheus.addresses import addresses

            addresses(value, "")
        return value

    @field_validator("audit_webhook")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """Plain http only to this machine: the body is no secret, but the token is."""
        if value and not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("it has to begin with https://")
        if value:
            from kubesteward_tools.outgoing import checked

            checked(value, f"{PREFIX}AUDIT_WEBHOOK")
        return value

    @field_validator("model_prices")
    @classmethod
    def _prices(cls, value: str) -> str:
        if value:
            from kubesteward.reasoning.ledger.prices import parse

            parse(value)
        return value

    @field_validator("local_brains_only")
    @classmethod
    def _premises(cls, value: str) -> str:
        if value:
            from kubesteward_policies.premises import places

            places(value)
        return value

    @field_validator("cluster_sets")
    @classmethod
    def _sets(cls, value: str) -> str:
        if value:
            from kubesteward_tools.cluster.sets import parse

            parse(value)
        return value

    @field_validator("autonomy_scopes")
    @classmethod
    def _scopes(cls, value: str) -> str:
        if value:
            from kubesteward_policies.autonomy import ScopesInvalid, scopes

            try:
                scopes(value)
            except ScopesInvalid as error:
                todo = "Write prod=1;prod/payments=2;*/dev-*=3."
                raise InvalidArguments(f"{PREFIX}AUTONOMY_SCOPES: {error}.", todo=todo) from None
        return value

    @field_validator("allow_auto_fix")
    @classmethod
    def _fixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            from kubesteward_policies.fixes import unknown

            if fault := unknown(value):
                raise InvalidArguments(f"{PREFIX}ALLOW_AUTO_FIX: {fault}.", todo="See docs/autonomy.md.")
        return value

    @field_validator(
        "kubeconfig",
        "write_kubeconfig",
        "bundle",
        "state_dir",
        "audit_anchor",
        "audit_webhook_token",
        "http_tokens",
        "console_tokens",
    )
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else value

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """The environment's KUBESTEWARD_* variables, overridden by what was given explicitly.

        Raises:
            InvalidArguments: a value does not fit; says which variable or option.
        """
        environment = os.environ if environment is None else environment
        found = {
            name: environment[PREFIX + name.upper()]
            for name in cls.model_fields
            if environment.get(PREFIX + name.upper())
        }
        try:
            return cls(**{**found, **overrides})
        except ValidationError as error:
            raise InvalidArguments(_explain(error, found, overrides), todo="See `kubesteward serve --help`.") from None


def _explain(error: ValidationError, found: Mapping[str, str], overrides: Mapping[str, Any]) -> str:
    """Without the rejected values: one of them may be a token."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0])
        label = f"{PREFIX}{name.upper()}" if name in found and name not in overrides else name.replace("_", "-")
        faults.append(f"{label}: {fault['msg']}")
    return "; ".join(faults) + "."


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's numeric user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
