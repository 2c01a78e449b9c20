"""What may be wrong with something on Kubernetes: a line for each family of failures, with what would show it and what
would speak against it. The built-in brain takes its hypotheses from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """`signs` are words in states, events and logs that such a failure leaves behind. `where` it would be seen."""

    category: str
    because: str
    confirms: tuple[str, ...]
    refutes: tuple[str, ...]
    signs: re.Pattern[str]
    where: tuple[str, ...] = ("get_events", "list_resources", "get_logs")


def _family(category: str, because: str, confirms: str, refutes: str, signs: str, *where: str) -> Family:
    seen = where or ("get_events", "list_resources", "get_logs")
    return Family(category, because, (confirms,), (refutes,), re.compile(signs, re.I), seen)


FAMILIES: Mapping[str, Family] = {
    one.category: one
    for one in (
        _family("CrashLoop", "the program ends by itself: a bad argument, a missing variable, an uncaught error",
                "a non-zero exit code that is not 137, and a stack trace or a usage text at the end of the log",
                "no restarts, or every end was OOMKilled", r"CrashLoopBackOff|back-off restarting|traceback|panic:"),
        _family("OOMKilled", "it needs more memory than its limit", "the last run ended OOMKilled with exit code 137",
                "it ended otherwise, or uses far less than its limit", r"OOM|out of memory|exit(?: code)? 137"),
        _family("ImagePull", "its image cannot be had: the tag, the registry or the credentials are wrong",
                "ErrImagePull or ImagePullBackOff, and the registry's words in an event", "the image was pulled",
                r"ImagePull|ErrImage|InvalidImageName|manifest unknown|pull access", "get_events", "list_resources"),
        _family("Pending", "no node can take its pods", "FailedScheduling, and what each node lacks",
                "every pod is on a node", r"FailedSched|Unschedulable|\bPending\b", "get_events", "list_resources"),
        _family("ConfigMissing", "a ConfigMap, a Secret or a key that it needs is not there",
                "CreateContainerConfigError, or FailedMount that names it", "all that it refers to is there",
                r"CreateContainerConfigError|(?:configmap|secret) \S+ not found|couldn't find key|MISSING"),
        _family("ProbeFailure", "a probe asks the wrong port or path, or too early", "Unhealthy events of a probe",
                "no probe failed", r"Unhealthy|probe failed"),
        _family("ServiceRouting", "the Service selects no pod, or sends to a port on which nobody listens",
                "no ready endpoints, or a target port that no container has", "endpoints are ready on the right port",
                r"no (?:ready )?endpoints|connection refused|\b503\b|upstream", "get_topology", "get_logs"),
        _family("Ingress", "the Ingress sends to a Service or a port that is not there", "a backend that is missing",
                "every backend is there", r"ingress\S*[^.]{0,60}(?:missing|not found)|backend", "get_topology"),
        _family("DNS", "names are not resolved", "lookups that fail in the log, or CoreDNS that is not well",
                "names are resolved", r"no such host|name or service not known|NXDOMAIN|EAI_AGAIN|lookup \S+ on"),
        _family("NetworkPolicy", "a network policy forbids the way", "a policy selects it and no rule lets the peer in",
                "no policy selects it", r"networkpolic|i/o timeout|timed? ?out", "get_topology", "get_logs"),
        _family("RBAC", "its service account may not do what it does", "403 or forbidden in the log",
                "the account may do it", r"\bforbidden\b|cannot (?:list|get|watch|create|patch)|\b403\b"),
        _family("Quota", "a quota or a limit range refuses its pods", "FailedCreate that names the quota",
                "the quota leaves room", r"exceeded quota|FailedCreate|limitrange|maximum \w+ usage", "get_events"),
        _family("PVC", "its volume is not bound or cannot be mounted", "a claim that is Pending, or FailedMount",
                "every claim is bound", r"FailedMount|FailedAttach|unbound|ProvisioningFailed|persistentvolumeclaim"),
        _family("HPA", "the autoscaler has no metrics or is at its limit", "FailedGetResourceMetric",
                "it scales", r"FailedGet\w*Metric|ScalingLimited|horizontalpodautoscaler"),
        _family("NodePressure", "its node is short of memory, disk or processes", "a condition of pressure, evictions",
                "every node is well", r"(?:Memory|Disk|PID)Pressure|Evict", "get_events", "list_resources"),
        _family("NodeNotReady", "its node is gone or does not report", "a node that is NotReady", "every node is ready",
                r"NodeNotReady|node\S* (?:is )?not ?ready", "get_events", "list_resources"),
        _family("Eviction", "its node was short of something and evicted its pods", "pods that Failed as Evicted",
                "no pod was evicted", r"\bEvict(?:ed|ion)\b|low on resource", "get_events", "list_resources"),
        _family("BadRollout", "the newest change broke it", "a roll-out just before it began, old pods being well",
                "nothing was changed before it began", r"rollout|image \S+ -> \S+|revision", "what_changed"),
        _family("AppError", "something that it depends on fails it", "errors in its log that name another service",
                "what it depends on answers", r"\b50[0234]\b|connection refused|upstream|deadline", "get_logs"),
        _family("AdmissionWebhook", "an admission webhook does not answer", "FailedCreate that names a webhook",
                "no webhook is named", r"webhook", "get_events"),
        _family("CertificateExpired", "a certificate is no longer valid", "x509 errors in the log",
                "certificates are valid", r"x509|certificate (?:has )?expired", "get_logs", "get_events"),
        _family("JobFailure", "its job failed or was never begun", "a job with failed pods, or missed schedules",
                "its jobs completed", r"BackoffLimitExceeded|DeadlineExceeded|FailedNeedsStart|missed", "get_events"),
        _family("PDB", "a disruption budget keeps its pods from being moved", "evictions refused by the budget",
                "the budget allows a disruption", r"disruption budget|poddisruptionbudget", "get_events"),
        _family("NoisyNeighbour", "another workload takes the node's CPU or memory from it",
                "a pod on the same node that uses far more than it asked for", "its node has room",
                r"noisy|node-?pressure|throttl", "get_events", "list_resources"),
        _family("MemoryGrowth", "its use of memory grows, as with a leak", "memory that grows until it is restarted",
                "its memory stays level", r"OOM|memory (?:leak|grow)|heap", "get_events", "get_logs"),
        _family("CPUThrottling", "it is throttled by its CPU limit", "use at the limit",
                "use far below the limit", r"throttl|context deadline|slow", "get_logs", "get_events"),
        _family("InitStuck", "an init container does not end", "Init:0/1", "its init containers have ended",
                r"Init:|PodInitializing", "list_resources"),
        _family("WrongCommand", "its command is not in the image", "an error of starting the container",
                "the program began", r"executable file not found|no such file|StartError|RunContainerError"),
        _family("PodSecurity", "Pod Security refuses its pods", "FailedCreate that names PodSecurity",
                "its pods were admitted", r"violates PodSecurity", "get_events"),
        _family("ScaledToZero", "it is scaled to zero", "zero replicas wanted", "replicas are wanted",
                r"ready\W+0/0", "list_resources"),
    )
}  # fmt: skip

_TOGETHER = (
    ("CrashLoop", "OOMKilled", "ConfigMissing", "ProbeFailure", "BadRollout", "WrongCommand", "AppError"),
    (
        "ImagePull",
        "Pending",
        "PVC",
        "Quota",
        "NodeNotReady",
        "NodePressure",
        "InitStuck",
        "PodSecurity",
        "AdmissionWebhook",
    ),
    ("ServiceRouting", "NetworkPolicy", "DNS", "Ingress", "AppError", "CertificateExpired", "ScaledToZero"),
    ("RBAC", "AppError", "ConfigMissing", "CertificateExpired"),
    ("HPA", "Quota", "CPUThrottling", "ScaledToZero"),
    ("PDB", "NodePressure", "Pending"),
    ("Eviction", "NodePressure", "MemoryGrowth", "NoisyNeighbour"),
    ("JobFailure", "CrashLoop", "ImagePull", "Quota"),
    ("CPUThrottling", "NoisyNeighbour", "OOMKilled", "NodePressure", "AppError"),
    ("MemoryGrowth", "OOMKilled", "NoisyNeighbour", "BadRollout"),
    ("NoisyNeighbour", "CPUThrottling", "NodePressure", "OOMKilled"),
)
"""Families that look alike from outside: what is one of them may well be another."""


def beside(category: str, but: Iterable[str], fewest: int) -> list[Family]:
    """Families that it could be as well, the likeliest to be mixed up with it first."""
    out = {*but, category}
    alike = [name for group in _TOGETHER if category in group for name in group]
    ordered = dict.fromkeys([*alike, *_TOGETHER[0], *_TOGETHER[2], *FAMILIES])
    return [FAMILIES[name] for name in ordered if name not in out][:fewest]
