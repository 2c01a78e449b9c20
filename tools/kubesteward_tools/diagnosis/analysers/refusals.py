"""Pods that the API server refuses to make: quota, limit ranges, Pod Security, webhooks, missing accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    amount,
    at,
    conditions,
    every,
    kind_of,
    listed,
    mapping,
    mappings,
    message_of,
    named,
    text,
)
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.usage import mebibytes
from kubesteward_tools.lookup.notes import everywhere
from kubesteward_tools.world.store import Key, Object

_FAILED = ("FailedCreate", "FailedUpdate", "ReplicaSetCreateError")
_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[\w.-]+), requested: (?P<asked>.*?), used: (?P<used>.*?), limited: (?P<limit>.*)"
)
_MUST = re.compile(r"failed quota: (?P<name>[\w.-]+): must specify (?P<what>.*)")
_RANGE = re.compile(
    r"(?:maximum|minimum) [\w./-]+ usage per (?:Container|Pod)|limit to request ratio|(?:maximum|minimum) "
    r"storage usage per|max(?:imum)? .* per "
)
_CONFLICT = re.compile(r"must be less than or equal to (?:cpu|memory) limit")
_HOOK = re.compile(
    r'failed calling webhook "(?P<failed>[^"]+)"|admission webhook "(?P<denied>[^"]+)" denied|conversion webhook'
)
_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[\w-]+):?[^"]*": (?P<why>.*)')
_ACCOUNT = re.compile(
    r'error looking up service account [\w.-]+/(?P<name>[\w.-]+)|serviceaccount "(?P<other>[\w.-]+)" not found', re.I
)


def analyse(scene: Scene) -> Iterator[Candidate]:
    for workload, message, since in _refusals(scene):
        yield _candidate(scene, workload, message, since)
    yield from _quoted(scene)
    yield from _quiet_quotas(scene)


def _quoted(scene: Scene) -> Iterator[Candidate]:
    """A refusal that somebody quotes: what was refused is then not in the cluster, and the rule is to blame."""
    text_ = scene.question.text
    rules = (_QUOTA, _MUST, _RANGE, _HOOK, _SECURITY, _CONFLICT)
    if not any(rule.search(text_) for rule in rules):
        return
    meant = sorted(key for key in scene.question.named if key.resource in {*SERVERS, "pods", "jobs.batch"})
    match = re.search(r'pods? "(?P<name>[\w.-]+)" is (?:forbidden|invalid)', text_, re.I)
    space = _space_of(scene, meant)
    pod = Key("pods", space, match["name"] if match else "of the question")
    found = _candidate(scene, meant[0] if meant else pod, text_, None)
    if not meant and not scene.exists(found.culprit):
        rule = next((key for key in found.suffers if scene.exists(key)), None)
        if rule is None:
            return
        found = replace(found, culprit=rule)
    yield found


def _space_of(scene: Scene, meant: list[Key]) -> str:
    """The namespace of what is meant: the one that is named, or the only one that has such a rule."""
    if meant:
        return meant[0].namespace
    known = sorted(scene.question.namespaces)
    ruled = [space for kind in ("resourcequotas", "limitranges") for space in scene.store.spaces(kind)]
    labelled = [
        key.name
        for key, obj in scene.all("namespaces")
        if any("pod-security" in one for one in mapping(obj["metadata"].get("labels")))
    ]
    return next(iter([*known, *ruled, *labelled]), "default")


def _refusals(scene: Scene) -> Iterator[tuple[Key, str, float | None]]:
    """Workload and what the API server said, once each: from events, or from conditions of what is short of pods."""
    told = set[Key]()
    for workload, items in scene.warned_workloads.items():
        for item in items:
            if (
                item.reason in _FAILED
                and re.search(r"forbidden|denied|webhook|not found|invalid|is invalid", item.message)
                and _short(scene, workload)
                and not _overcome(scene, item.about)
            ):
                told.add(workload)
                yield workload, item.message, item.first
                break
    for resource in (*SERVERS, "replicasets.apps", "jobs.batch"):
        for key, note in _unready(scene, resource):
            workload = scene.owner(key)
            for condition in conditions(scene.get(key)) if workload not in told and note else ():
                if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                    told.add(workload)
                    yield workload, message_of(condition), None
                    break


def _unready(scene: Scene, resource: str) -> Iterator[tuple[Key, bool]]:
    for key, note in everywhere(scene.store, resource):
        if note.ready is False:
            yield key, True


def _short(scene: Scene, workload: Key) -> bool:
    """Whether pods are still missing: an old refusal that was overcome is no fault."""
    obj = scene.get(workload)
    status, wanted = mapping(obj.get("status")), at(obj, "spec").get("replicas", 1)
    if workload.resource == "daemonsets.apps":
        return int(status.get("currentNumberScheduled") or 0) < int(status.get("desiredNumberScheduled") or 1)
    if workload.resource in SERVERS:
        made = status.get("updatedReplicas", status.get("replicas")) or 0
        return int(made) < int(wanted or 0) or int(status.get("readyReplicas") or 0) < int(wanted or 0)
    return not status.get("succeeded")


def _overcome(scene: Scene, about: Key) -> bool:
    """Whether the ReplicaSet that was refused pods has all that it wants by now: they are short of something else."""
    obj = scene.get(about) if about.resource == "replicasets.apps" else {}
    made, wanted = mapping(obj.get("status")).get("replicas"), at(obj, "spec").get("replicas")
    return type(made) is int and type(wanted) is int and made >= wanted


def _candidate(scene: Scene, workload: Key, message: str, since: float | None) -> Candidate:
    space = workload.namespace
    if match := _QUOTA.search(message):
        quota = Key("resourcequotas", space, match["name"])
        sentence = (
            f"the ResourceQuota {match['name']!r} of namespace {space} is exceeded, so pods of {named(workload)} are "
            f"forbidden: exceeded quota, requested {match['asked']}, used {match['used']}, limited to "
            f"{match['limit']}{_counts(scene, workload)}."
        )
        fix = f"Raise the quota {match['name']!r}, or free some of it: scale down, or lower the requests and limits."
        return Candidate("Quota", workload, sentence, 0.97, (message,), fix=fix, since=since, suffers=(quota,))
    if match := _MUST.search(message):
        quota = Key("resourcequotas", space, match["name"])
        sentence = (
            f"the ResourceQuota {match['name']!r} of namespace {space} refuses pods of {named(workload)} "
            "because they do not "
            f"specify {match['what']} (failed quota: must specify resources requests and limits)."
        )
        fix = f"Set {match['what']} in the containers' resources, or defaults with a LimitRange."
        return Candidate("Quota", workload, sentence, 0.97, (message,), fix=fix, since=since, suffers=(quota,))
    if _RANGE.search(message) or _CONFLICT.search(message):
        return _limit_range(scene, workload, message, since)
    if match := _SECURITY.search(message):
        return _security(scene, workload, match, message, since)
    if match := _HOOK.search(message):
        return _hook(scene, workload, match["failed"] or match["denied"] or "", message, since)
    if match := _ACCOUNT.search(message):
        return _account(scene, workload, match["name"] or match["other"], message, since)
    sentence = f"the API server refuses to create pods of {named(workload)}: {message}."
    kind = (
        "Pending"
        if "PriorityClass" in message
        else "PodSecurity"
        if "security context constraint" in message
        else "AdmissionWebhook"
        if "denied" in message
        else "Quota"
    )
    return Candidate(kind, workload, sentence, 0.8, (message,), fix="Correct what the message names.", since=since)  # type: ignore[arg-type]


def _counts(scene: Scene, workload: Key) -> str:
    obj = scene.get(workload)
    wanted, ready = at(obj, "spec").get("replicas"), mapping(obj.get("status")).get("readyReplicas") or 0
    return f" ({ready} of {wanted} replicas run)" if isinstance(wanted, int) else ""


def _limit_range(scene: Scene, workload: Key, message: str, since: float | None) -> Candidate:
    ranges = [key for key, _ in scene.all("limitranges", workload.namespace)]
    shown = listed(key.name for key in ranges)
    asked = listed(
        f"{item.get('name')}: {dict(mapping(item.get('resources')))}"
        for item in every(scene.spec(workload))
        if item.get("resources")
    )
    why = message.partition("is forbidden: ")[2] or message
    sentence = (
        f"the LimitRange {shown!r} of namespace {workload.namespace} refuses pods of {named(workload)}: {why}; "
        f"the containers ask for {asked or 'nothing'}."
    )
    return Candidate(
        "Quota",
        workload,
        sentence,
        0.97,
        (message,),
        fix=f"Set resources within the LimitRange {shown}, or change it.",
        since=since,
        suffers=tuple(ranges),
    )


def _security(scene: Scene, workload: Key, told: re.Match[str], message: str, since: float | None) -> Candidate:
    level, why = told["level"], told["why"]
    sentence = (
        f"Pod Security Admission refuses pods of {named(workload)}: namespace {workload.namespace} enforces the level "
        f"{level!r} (pod-security.kubernetes.io/enforce) and they violate PodSecurity: {why}."
    )
    fix = f"Set the securityContext as the level {level!r} asks, or label the namespace with a lower level."
    return Candidate(
        "PodSecurity",
        workload,
        sentence,
        0.97,
        (message,),
        fix=fix,
        since=since,
        suffers=(Key("namespaces", "", workload.namespace),),
    )


def _hook(scene: Scene, workload: Key, name: str, message: str, since: float | None) -> Candidate:
    config, service = webhook(scene, name)
    denied = "denied" in message
    state = _service_state(scene, service)
    what = "denies" if denied else "cannot be called, and its failurePolicy is Fail; so the API server refuses"
    sentence = (
        f"the admission webhook {name!r}{f' of {named(config)}' if config else ''} {what} the pods of "
        f"{named(workload)}: {message}{state}."
    )
    fix = (
        "Change the pods as the webhook asks."
        if denied
        else (
            f"Repair the webhook's service{f' {service.name!r}' if service else ''}, or delete the webhook "
            "configuration or set failurePolicy Ignore."
        )
    )
    return Candidate(
        "AdmissionWebhook",
        config or workload,
        sentence,
        0.96,
        (message,),
        fix=fix,
        since=since,
        suffers=(workload,),
        needs=(service,) if service and not denied else (),
    )


def webhook(scene: Scene, name: str) -> tuple[Key | None, Key | None]:
    """The configuration that has a webhook of this name, and the Service behind it."""
    for resource in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        for key, config in scene.all(f"{resource}.admissionregistration.k8s.io"):
            for hook in config.get("webhooks") or ():
                if hook.get("name") == name:
                    found = at(hook, "clientConfig", "service")
                    service = Key("services", text(found.get("namespace")), text(found.get("name"))) if found else None
                    return key, service
    return None, None


def _service_state(scene: Scene, service: Key | None) -> str:
    if service is None:
        return ""
    if scene.missing(service):
        return f". Its {named(service)} does not exist (not found)"
    ready = routing.ready(scene, routing.backends(scene, service))
    return "" if ready else f". Its {named(service)} has no ready endpoints (no pods behind it)"


def _account(scene: Scene, workload: Key, name: str, message: str, since: float | None) -> Candidate:
    there = listed(key.name for key in scene.store.keys("serviceaccounts", workload.namespace))
    sentence = (
        f"the ServiceAccount {name!r} that {named(workload)} runs as does not exist (not found, missing) in namespace "
        f"{workload.namespace}, so its pods are refused; there is {there or 'none'}."
    )
    return Candidate(
        "RBAC",
        workload,
        sentence,
        0.93,
        (message,),
        fix=f"Create the ServiceAccount {name!r}, or correct serviceAccountName.",
        since=since,
        suffers=(Key("serviceaccounts", workload.namespace, name),),
    )


def _quiet_quotas(scene: Scene) -> Iterator[Candidate]:
    """Quotas that are used up to the last, though nobody has run into them yet."""
    for key, quota in scene.all("resourcequotas"):
        hard, used = at(quota, "status", "hard") or at(quota, "spec", "hard"), at(quota, "status", "used")
        full = [
            name
            for name in hard
            if name in used and amount(used[name]) >= amount(hard[name]) > 0 and name not in {"services.nodeports"}
        ]
        short = _would_exceed(scene, key, hard, used)
        if short is not None:
            workload, shown = short
            sentence = (
                f"the ResourceQuota {key.name!r} of namespace {key.namespace} has no room for the missing pods of "
                f"{named(workload)}{_counts(scene, workload)}: one more pod would exceed the quota: {shown}."
            )
            fix = f"Raise the quota {key.name!r}, or lower what the pods request."
            yield Candidate("Quota", workload, sentence, 0.75, (), fix=fix, suffers=(key,))
        elif full:
            shown = listed(f"{name}: used {used[name]} of {hard[name]}" for name in full)
            yield Candidate(
                "Quota",
                key,
                f"the ResourceQuota {key.namespace}/{key.name} is used up: {shown}.",
                0.4,
                (),
                fix=f"Raise {kind_of(key.resource)} {key.name!r}, or free some of it.",
            )


def _would_exceed(scene: Scene, quota: Key, hard: Object, used: Object) -> tuple[Key, str] | None:
    """A workload that is short of pods, of which the quota does not allow one more, and by what."""
    for resource in SERVERS[:2]:
        for key, obj in scene.all(resource, quota.namespace):
            made, wanted = mapping(obj.get("status")).get("replicas"), at(obj, "spec").get("replicas", 1)
            if not isinstance(made, int) or not isinstance(wanted, int) or made >= wanted:
                continue
            needs = _asked_for(scene.spec(key))
            over = [
                f"{name}: {_amount(name, needs[name])} more, used {used[name]} of {hard[name]}"
                for name in hard
                if name in needs and name in used and amount(used[name]) + needs[name] > amount(hard[name])
            ]
            if over:
                return key, listed(over)
    return None


def _amount(name: str, value: float) -> str:
    return mebibytes(value) if name.endswith("memory") else f"{value:g}"


def _asked_for(spec: Object) -> dict[str, float]:
    """What one pod takes of a quota."""
    found = {"pods": 1.0, "count/pods": 1.0}
    for what in ("cpu", "memory"):
        for field in ("requests", "limits"):
            total = sum(amount(at(item, "resources", field).get(what)) for item in mappings(spec.get("containers")))
            if total:
                found[f"{field}.{what}"] = total
                found |= {what: total} if field == "requests" else {}
    return found
