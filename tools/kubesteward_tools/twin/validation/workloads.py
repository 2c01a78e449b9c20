"""Pods and what makes pods."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from kubesteward_tools.twin import podsize, selectors
from kubesteward_tools.twin.amounts import amounts
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.containers import container, resources
from kubesteward_tools.twin.validation.metadata import LABEL, LABEL_HELP, SUBDOMAIN, SUBDOMAIN_HELP, labels
from kubesteward_tools.twin.validation.placement import placement
from kubesteward_tools.twin.validation.selectors import label_selector
from kubesteward_tools.twin.validation.shares import NOT_NEGATIVE, is_share, share
from kubesteward_tools.twin.validation.volumes import volumes

Spec = dict[str, Any]

_DNS = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
_LONGEST = 2**31 - 1


def pod(obj: Spec) -> Iterator[FieldError]:
    yield from pod_spec("spec", obj.get("spec") or {})


def pod_spec(path: str, spec: Spec, more_volumes: Collection[Any] = ()) -> Iterator[FieldError]:
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    yield from volumes(f"{path}.volumes", spec.get("volumes") or ())
    yield from _containers(path, spec, {*more_volumes, *(item.get("name") for item in spec.get("volumes") or ())})
    if spec.get("restartPolicy", "Always") not in {"Always", "OnFailure", "Never"}:
        yield not_supported(f"{path}.restartPolicy", spec["restartPolicy"], ["Always", "OnFailure", "Never"])
    yield from _durations(path, spec)
    yield from _names(path, spec)
    if spec.get("resources"):
        yield from _whole_pod(path, spec)
    yield from placement(path, spec)


def _containers(path: str, spec: Spec, mountable: set[Any]) -> Iterator[FieldError]:
    seen, host_network = set[str](), bool(spec.get("hostNetwork"))
    for kind in ("initContainers", "containers"):
        for at, item in enumerate(spec.get(kind) or ()):
            where = f"{path}.{kind}[{at}]"
            init = kind == "initContainers"
            yield from container(where, item, mountable, host_network=host_network, init=init)
            if item.get("name") in seen:
                yield FieldError("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{item["name"]}"')
            seen.add(item.get("name", ""))
            if init and item.get("restartPolicy") not in {None, "Always", "OnFailure", "Never"}:
                allowed = ["Always", "OnFailure", "Never"]
                yield not_supported(f"{where}.restartPolicy", item["restartPolicy"], allowed)


def _durations(path: str, spec: Spec) -> Iterator[FieldError]:
    deadline, grace = spec.get("activeDeadlineSeconds"), spec.get("terminationGracePeriodSeconds")
    if deadline is not None and not 1 <= deadline <= _LONGEST:
        why = f"must be between 1 and {_LONGEST}, inclusive"
        yield invalid_value(f"{path}.activeDeadlineSeconds", deadline, why)
    if grace is not None and grace < 0:
        yield invalid_value(f"{path}.terminationGracePeriodSeconds", grace, NOT_NEGATIVE)


def _names(path: str, spec: Spec) -> Iterator[FieldError]:
    policy = spec.get("dnsPolicy", "ClusterFirst")
    if policy not in _DNS:
        yield not_supported(f"{path}.dnsPolicy", policy, _DNS)
    elif policy == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{path}.dnsConfig.nameservers", why)
    for field in ("hostname", "subdomain"):
        if spec.get(field) and not (LABEL.fullmatch(spec[field]) and len(spec[field]) <= 63):
            yield invalid_value(f"{path}.{field}", spec[field], LABEL_HELP)
    for field in ("nodeName", "serviceAccountName", "priorityClassName", "runtimeClassName"):
        if spec.get(field) and not SUBDOMAIN.fullmatch(spec[field]):
            yield invalid_value(f"{path}.{field}", spec[field], SUBDOMAIN_HELP)


def _whole_pod(path: str, spec: Spec) -> Iterator[FieldError]:
    """Resources of the pod as a whole (KEP-2837) hold at least what its containers ask for."""
    own = spec["resources"]
    yield from resources(f"{path}.resources", own)
    try:
        parts = {key: value for key, value in spec.items() if key not in {"resources", "overhead"}}
        wanted, given = podsize.of_spec(parts, "requests"), amounts(own.get("requests"))
    except ValueError:
        return
    for name, value in wanted.items():
        if name in given and given[name] < value:
            text = own["requests"][name]
            why = f"must be greater than or equal to aggregate container requests of {value}"
            yield invalid_value(f"{path}.resources.requests[{name}]", text, why)


def template_and_selector(obj: Spec, more_volumes: Collection[Any] = ()) -> Iterator[FieldError]:
    """`more_volumes` are those that the pods get besides the template's: the claims of a StatefulSet."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    replicas = spec.get("replicas", 1)
    if isinstance(replicas, int) and replicas < 0:
        yield invalid_value("spec.replicas", replicas, NOT_NEGATIVE)
    wrong = list(label_selector("spec.selector", selector))
    yield from wrong
    own = (template.get("metadata") or {}).get("labels")
    if selector is None:
        yield required("spec.selector")
    elif not (selector.get("matchLabels") or selector.get("matchExpressions")):
        kind = str(obj.get("kind", "")).lower()
        yield invalid_value("spec.selector", selector, f"empty selector is invalid for {kind}")
    elif not wrong and not selectors.matches(selector, own):
        yield invalid_value("spec.template.metadata.labels", own or {}, "`selector` does not match template `labels`")
    yield from labels("spec.template.labels", own or {})
    yield from pod_spec("spec.template.spec", template.get("spec") or {}, more_volumes)
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ["Always"])


def replica_set(obj: Spec) -> Iterator[FieldError]:
    yield from template_and_selector(obj)
    yield from _no_deadline(obj)


def _no_deadline(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    if (spec.get("minReadySeconds") or 0) < 0:
        yield invalid_value("spec.minReadySeconds", spec["minReadySeconds"], NOT_NEGATIVE)
    if ((spec.get("template") or {}).get("spec") or {}).get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden_field("spec.template.spec.activeDeadlineSeconds", why)


def deployment(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    yield from template_and_selector(obj)
    yield from _no_deadline(obj)
    yield from _strategy("spec.strategy", spec.get("strategy") or {})
    limit, deadline = spec.get("revisionHistoryLimit"), spec.get("progressDeadlineSeconds")
    if (limit or 0) < 0:
        yield invalid_value("spec.revisionHistoryLimit", limit, NOT_NEGATIVE)
    if deadline is None:
        return
    if deadline < 0:
        yield invalid_value("spec.progressDeadlineSeconds", deadline, NOT_NEGATIVE)
    if deadline <= (spec.get("minReadySeconds") or 0):
        yield invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _strategy(path: str, strategy: Spec) -> Iterator[FieldError]:
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type")
    if kind not in {"Recreate", "RollingUpdate"}:
        yield not_supported(f"{path}.type", kind, ["Recreate", "RollingUpdate"])
    elif kind == "Recreate" and rolling:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_field(f"{path}.rollingUpdate", why)
    elif rolling:
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from share(f"{path}.rollingUpdate.maxUnavailable", unavailable, at_most_all=True)
        yield from share(f"{path}.rollingUpdate.maxSurge", surge)
        if is_share(surge) and is_share(unavailable) and _is_zero(surge) and _is_zero(unavailable):
            why = "may not be 0 when `maxSurge` is 0"
            yield invalid_value(f"{path}.rollingUpdate.maxUnavailable", unavailable, why)


def _is_zero(value: Any) -> bool:
    return str(value).rstrip("%").strip("0") == ""
