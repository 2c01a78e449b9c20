"""What the built-in brain looks up for a question that is no complaint: it goes by words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kubesteward.reasoning.brains import telling
from kubesteward.reasoning.brains.base import Json
from kubesteward.reasoning.brains.talk import Talk

Wanted = list[tuple[str, Json]]
_LONGEST = 240

_KINDS = {
    "pods?": "Pod", "deployments?": "Deployment", "statefulsets?": "StatefulSet", "daemonsets?": "DaemonSet",
    "replicasets?": "ReplicaSet", "cron ?jobs?": "CronJob", "jobs?": "Job", "services?": "Service", "nodes?": "Node",
    "ingress(?:es)?": "Ingress", "namespaces?": "Namespace", "config ?maps?": "ConfigMap", "secrets?": "Secret",
    "pvcs?|(?:persistent ?)?volume ?claims?": "PersistentVolumeClaim", "pvs?|(?:persistent ?)?volumes?":
    "PersistentVolume", "hpas?|(?:horizontal ?pod ?)?autoscalers?": "HorizontalPodAutoscaler",
    "pdbs?|(?:pod ?)?disruption ?budgets?": "PodDisruptionBudget", "network ?policies": "NetworkPolicy",
    "quotas?": "ResourceQuota", "storage ?class(?:es)?": "StorageClass", "service ?accounts?": "ServiceAccount",
    "roles?": "Role", "cluster ?roles?": "ClusterRole", "endpoint ?slices?|endpoints?": "EndpointSlice",
}  # fmt: skip
_QUERIES = {
    "memory|ram|mem": "memory_usage",
    "cpu|processor": "cpu_usage",
    "disk|storage used": "disk_usage",
    "latency|p99": "latency_p99",
    "error rate|errors per": "error_rate",
    "request rate|requests per|traffic|rps": "request_rate",
    "gpu": "gpu_usage",
}
_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_VERBS = "get|list|watch|create|update|patch|delete|read|see|exec into|exec"
_MAY = re.compile(
    rf"\b(?:can|may|could|allowed)\s+(?P<who>\S+)\s+(?:to\s+)?(?P<verb>{_VERBS})\s+(?P<what>[a-z]+)", re.I
)
_WHO = re.compile(rf"\bwho\s+(?:can|may|could|is allowed to)\s+(?P<verb>{_VERBS})\s+(?P<what>[a-z]+)", re.I)
_SINCE = re.compile(
    r"\b(?:last|past|in)\s+(?P<many>\d*)\s*(?P<unit>m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?|weeks?)\b", re.I
)


@dataclass(frozen=True)
class Lookup:
    """One way to look something up: `words` tell that it is asked for, `calls` what is asked of the tools."""

    words: re.Pattern[str]
    calls: Callable[[Talk], Wanted]


def wanted(talk: Talk) -> Wanted:
    """The calls of the first way that the words ask for; none where the rules do not understand them."""
    return next((calls for way in _WAYS if way.words.search(question(talk)) and (calls := way.calls(talk))), [])


def told(talk: Talk) -> list[str]:
    """What the calls found, a sentence a line."""
    lines = [line for made, _, data in talk.results for line in telling.lines(made, data)]
    return [line[:_LONGEST] for line in _of_kind(talk, lines)]


def _of_kind(talk: Talk, lines: list[str]) -> list[str]:
    """Where one kind was looked for around an object, only what is of it."""
    given = {name: value for made, _, _ in talk.results for name, value in made.arguments.items()}
    kind, (_, name) = _kind(talk), _target(talk)
    if given.get("depth", 1) > 1:
        return [line for line in lines if f"{kind}/" in line] or [f"No {kind} is connected to {_ref(talk)}."]
    return [line for line in lines if f"/{name}" in line] if "columns" in given else lines


def overview(talk: Talk) -> Wanted:
    """Of the whole cluster; also where it is not understood what is asked for."""
    return [("cluster_overview", _cluster(talk))]


def question(talk: Talk) -> str:
    return str(talk.heads.get("Question", ""))


def where(talk: Talk) -> Json:
    kind, _, rest = talk.heads.get("Target", "").partition(" ")
    space = talk.heads.get("Namespace", "") or (rest.partition("/")[0] if "/" in rest else "")
    space = rest if kind == "Namespace" else space
    return {**({"namespace": space} if space else {}), **_cluster(talk)}


def _cluster(talk: Talk) -> Json:
    return {"cluster": cluster} if (cluster := talk.heads.get("Cluster", "")) else {}


def _target(talk: Talk) -> tuple[str, str]:
    """Kind and name, empty where the question is about no object."""
    kind, _, rest = talk.heads.get("Target", "").partition(" ")
    return (kind, rest.rpartition("/")[2]) if kind != "Namespace" else ("", "")


def _ref(talk: Talk) -> str:
    return "/".join(_target(talk)).strip("/")


def _kind(talk: Talk) -> str:
    """The first one that the question names, by all of its words: a service account is no Service."""
    named = ((re.search(rf"\b(?:{word})\b", question(talk), re.I), kind) for word, kind in _KINDS.items())
    found = [(match.start(), -len(match[0]), kind) for match, kind in named if match]
    return min(found)[2] if found else ""


def _permissions(talk: Talk) -> Wanted:
    match = _WHO.search(question(talk)) or _MAY.search(question(talk))
    if match is None:
        return []
    verb = {"read": "get", "see": "get", "exec": "create", "exec into": "create"}.get(
        match["verb"].lower(), match["verb"]
    )
    what = "pods/exec" if match["verb"].lower().startswith("exec") else match["what"]
    who = match.groupdict().get("who", "")
    if who.lower() in {"i", "we", "you", "anybody", "anyone", "somebody", "someone"}:
        return []
    return [
        (
            "explain_permissions",
            {"verb": verb.lower(), "resource": what, **({"subject": who} if who else {}), **where(talk)},
        )
    ]


def _usage(talk: Talk) -> Wanted:
    query = next((name for word, name in _QUERIES.items() if re.search(rf"\b(?:{word})\b", question(talk), re.I)), "")
    about = "nodes" if _kind(talk) == "Node" and not _ref(talk) else _ref(talk)
    measured = {"query": query, "limit": telling.MOST, **({"target": about} if about else {}), **where(talk)}
    return [("get_metrics", measured), *_spec(talk)]


def _changes(talk: Talk) -> Wanted:
    match = _SINCE.search(question(talk))
    since = f"{match['many'] or 1}{match['unit'][0].lower()}" if match else "24h"
    since = f"{int(since[:-1]) * 7}d" if since.endswith("w") else since
    about = {"resource": _ref(talk)} if _ref(talk) else {}
    return [("what_changed", {"since": since, "limit": telling.MOST, **about, **where(talk)})]


def _logs(talk: Talk) -> Wanted:
    return [("get_logs", {"target": _ref(talk), "tail": 100, **where(talk)})] if _ref(talk) else []


def _events(talk: Talk) -> Wanted:
    about = {"related_resource": _ref(talk)} if _ref(talk) else {}
    return [("get_events", {"since": "24h", "limit": telling.MOST, **about, **where(talk)})]


def _neighbours(talk: Talk) -> Wanted:
    """Of one kind they may stand further away: nodes behind pods, Services before them."""
    depth = 3 if _kind(talk) not in {"", _target(talk)[0]} else 1
    return [("get_topology", {"resource": _ref(talk), "depth": depth, **where(talk)})] if _ref(talk) else []


def _spec(talk: Talk) -> Wanted:
    """The object itself, where it says what runs."""
    kind, name = _target(talk)
    return [("get_resource_yaml", {"kind": kind, "name": name, **where(talk)})] if kind in _WORKLOADS | {"Pod"} else []


def _certificates(talk: Talk) -> Wanted:
    return [("forecast", {"metric": "certificates", "horizon": "30d", **where(talk)})]


def _object(talk: Talk) -> Wanted:
    kind, name = _target(talk)
    if not name:
        return []
    asked = (found := _kind(talk)) not in {"", kind}
    if kind == "Node" and found == "Pod":
        return _pods_of_node(talk)
    if asked and found == "Node":
        return [
            ("list_resources", {"kind": "Pod", "columns": ["ready", "status", "node"], "limit": 200, **where(talk)})
        ]
    if asked:
        return _neighbours(talk)
    named = {"kind": kind, "field_selector": f"metadata.name={name}", "limit": 1, **where(talk)}
    changes = {"resource": _ref(talk), "since": "24h", "limit": telling.MOST, **where(talk)}
    return [("list_resources", named), *_spec(talk), ("what_changed", changes)]


def _pods_of_node(talk: Talk) -> Wanted:
    kind, name = _target(talk)
    if kind != "Node":
        return []
    there = {"kind": "Pod", "field_selector": f"spec.nodeName={name}", "limit": 200}
    return [("list_resources", {**there, **_cluster(talk)})]


def _listing(talk: Talk) -> Wanted:
    order = {"sort": "restarts"} if "restart" in question(talk).lower() else {}
    return [("list_resources", {"kind": kind, "limit": 200, **order, **where(talk)})] if (kind := _kind(talk)) else []


def _overview(talk: Talk) -> Wanted:
    if "namespace" not in where(talk):
        return overview(talk)
    return [("list_resources", {"kind": kind, "limit": 200, **where(talk)}) for kind in ("Deployment", "Pod")]


def _when(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.I)


_WAYS = (
    Lookup(_when("can|may|could|allowed"), _permissions),
    Lookup(_when("certificates?|expires?|expired|expiry|out of date"), _certificates),
    Lookup(_when("chang(?:e|es|ed)|deployed|rolled out|released|edited|modified|happened|new"), _changes),
    Lookup(_when("logs?|prints?|printed"), _logs),
    Lookup(_when("events?|warnings?"), _events),
    Lookup(_when("(?<!limit of )(?:" + "|".join(_QUERIES) + ")"), _usage),
    Lookup(_when("depends?|dependents?|dependenc(?:y|ies)|connect(?:ed|s)|used by|needs?|owns?"), _neighbours),
    Lookup(_when("runs?|running|placed|scheduled|on"), _pods_of_node),
    Lookup(re.compile(""), _object),
    Lookup(re.compile(""), _listing),
    Lookup(_when("cluster|everything|overview|status|state|summary|running|namespaces?|version"), _overview),
)  # fmt: skip
