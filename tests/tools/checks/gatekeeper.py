"""What the policies of Gatekeeper's library are called here, and where the two see it differently on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.run import Asked, run

Settings = Mapping[str, Mapping[str, Any]]
"""Parameters by check."""
Given = Mapping[str, Any]


def _plain(*checks: str) -> Callable[[Given], Settings]:
    return lambda _given: {name: {} for name in checks}


def _images(given: Given) -> list[str]:
    return list(given.get("exemptImages") or ())


def _exempt(*checks: str) -> Callable[[Given], Settings]:
    return lambda given: {name: {"exemptImages": _images(given)} for name in checks}


def _named(given: Given, where: str) -> Settings:
    wanted = [
        {"where": where, "key": item["key"], "pattern": item.get("allowedRegex", "")} for item in given.get(where) or ()
    ]
    return {"metadata-required": {"wanted": wanted}}


def _ranges(given: Given) -> list[dict[str, int]]:
    return [{"least": item["min_replicas"], "most": item["max_replicas"]} for item in given.get("ranges") or ()]


def _autoscaler(given: Given) -> Settings:
    found: dict[str, Mapping[str, Any]] = {
        "autoscaler-range": {"ranges": _ranges(given)},
        "autoscaler-cannot-scale": {"least": given.get("minimumReplicaSpread", 0)},
    }
    return {**found, **({"autoscaler-target-missing": {}} if given.get("enforceScaleTargetRef") else {})}


def _sysctls(given: Given) -> Settings:
    return {
        "sysctl-unsafe": {"allowed": given.get("allowedSysctls", ["*"]), "forbidden": given.get("forbiddenSysctls", [])}
    }


def _capabilities(given: Given) -> Settings:
    return {
        "capabilities-allowed": {
            "enforced": True,
            "allowed": given.get("allowedCapabilities", []),
            "dropped": given.get("requiredDropCapabilities", []),
        }
    }


def _ports(given: Given) -> Settings:
    ports = {"least": given.get("min", 0), "most": given.get("max", 0), "exemptImages": _images(given)}
    return {"host-port": ports, **({} if given.get("hostNetwork") else {"host-network": {}})}


def _groups(given: Given) -> Settings:
    if "rule" not in given:
        return {}
    ranges = [{"least": item["min"], "most": item["max"]} for item in given.get("ranges") or ()]
    required = given["rule"] == "MustRunAs"
    return {"fs-group-range": {"ranges": ranges or [{"least": 1, "most": 0}], "required": required}}


def _paths(given: Given) -> Settings:
    allowed = [
        {"prefix": item["pathPrefix"], "readOnly": item.get("readOnly", False)}
        for item in given.get("allowedHostPaths") or ()
    ]
    return {"host-path": {"allowed": allowed}}


def _ratios(given: Given) -> Settings:
    ratio = given["ratio"]
    return {"limit-request-ratio": {"most": {"memory": float(ratio), "cpu": float(given.get("cpuRatio", ratio))}}}


def _anonymous(given: Given) -> Settings:
    strict = bool(given.get("disallowAuthenticated"))
    return {"binding-anonymous": {"allowed": given.get("allowedRoles") or [], "authenticated": strict}}


def _profiles(given: Given) -> Settings:
    """Today's names of seccomp profiles; what is not configured is let pass where the policy says so."""
    allowed = given.get("allowedProfiles") or []
    files = [item.partition("/")[2] for item in allowed if "/" in item]
    settings = {"enforced": True, "optional": "not configured" in allowed, "files": files or ["*"]}
    return {"seccomp-allowed": {**settings, "exemptImages": [item.strip() for item in _images(given)]}}


def _tags(given: Given) -> Settings:
    return {"image-tag-floating": {"floating": given["tags"], "exemptImages": _images(given)}}


POLICIES: Mapping[str, Callable[[Given], Settings]] = {
    "allowedrepos": lambda given: {"image-registry-allowed": {"images": [f"{item}*" for item in given["repos"]]}},
    "allowedreposv2": lambda given: {"image-registry-allowed": {"images": given["allowedImages"]}},
    "automount-serviceaccount-token": _plain("service-account-token"),
    "block-endpoint-edit-default-role": _plain("role-default-widened"),
    "block-loadbalancer-services": _plain("service-load-balancer"),
    "block-nodeport-services": _plain("service-node-port"),
    "block-wildcard-ingress": _plain("ingress-host-wildcard"),
    "containerlimits": lambda given: {
        "limits-too-high": {"most": {key: given[key] for key in ("cpu", "memory")}, "exemptImages": _images(given)}
    },
    "containerrequests": lambda given: {"requests-too-high": {"most": {key: given[key] for key in ("cpu", "memory")}}},
    "containerresourceratios": _ratios,
    "containerresources": lambda given: {
        "resources-not-declared": {
            "wanted": {key: given[key] for key in ("limits", "requests") if given.get(key)} or {"limits": []}
        }
    },
    "disallowanonymous": _anonymous,
    "disallowedrepos": lambda given: {"image-registry-denied": {"prefixes": given["repos"]}},
    "disallowedtags": _tags,
    "disallowinteractive": _plain("terminal-attached"),
    "ephemeralstoragelimit": lambda given: {"ephemeral-storage-limit": {"most": given["ephemeral-storage"]}},
    "externalip": lambda given: {"service-external-ip": {"allowed": given["allowedIPs"]}},
    "horizontalpodautoscaler": _autoscaler,
    "httpsonly": lambda given: {"ingress-without-tls": {"redirect": True, "optional": bool(given.get("tlsOptional"))}},
    "imagedigests": _exempt("image-digest-missing"),
    "poddisruptionbudget": _plain("budget-above-replicas", "budget-blocks-eviction"),
    "replicalimits": lambda given: {"replicas-range": {"ranges": _ranges(given)}},
    "requiredannotations": lambda given: _named(given, "annotations"),
    "requiredlabels": lambda given: _named(given, "labels"),
    "requiredprobes": lambda given: {"probes-required": {"probes": given["probes"], "handlers": given["probeTypes"]}},
    "storageclass": lambda given: {
        "claim-without-class": {"required": True, "allowed": given.get("allowedStorageClasses") or []}
    },
    "uniqueingresshost": lambda _given: {"ingress-host-taken": {"path": False}},
    "uniqueserviceselector": lambda _given: {"service-selector-shared": {"everywhere": True}},
    "verifydeprecatedapi": _plain("api-removed"),
    "allow-privilege-escalation": _exempt("privilege-escalation-allowed"),
    "apparmor": lambda given: {"apparmor-required": {"enforced": True}},
    "capabilities": _capabilities,
    "flexvolume-drivers": lambda given: {
        "flex-volume": {"drivers": [item["driver"] for item in given.get("allowedFlexVolumes") or ()]}
    },
    "forbidden-sysctls": _sysctls,
    "fsgroup": _groups,
    "host-filesystem": _paths,
    "host-namespaces": _plain("host-pid", "host-ipc"),
    "host-network-ports": _ports,
    "host-probes-lifecycle": _plain("probe-foreign-host"),
    "host-process": _plain("windows-host-process"),
    "privileged-containers": _exempt("container-privileged"),
    "proc-mount": _exempt("proc-mount-unmasked"),
    "read-only-root-filesystem": _exempt("root-filesystem-writable"),
    "seccomp": _profiles,
    "seccompv2": _profiles,
    "selinux": _plain("selinux-custom"),
    "users": _plain("run-as-root-allowed"),
    "volumes": lambda given: {"volume-types": {"allowed": given["volumes"]}},
}
_UPDATE = "the policy spares an update of what cannot be changed; a check looks at objects and not at requests"
_REQUEST = "the policy asks who sends the request; a check looks at objects and not at requests"
_UNCLEAR = "the case says `violations: 0` for what the policy is about; its name and its messages say the contrary"
_ANNOTATED = "annotations for seccomp are read no more since Kubernetes 1.27; only securityContext counts"
DIFFERENT: Mapping[str, str] = {
    "allowedrepos/allowed-repos/initcontainer-disallowed": _UNCLEAR,
    "allowedreposv2/allowed-reposv2/initcontainer-disallowed": _UNCLEAR,
    "disallowanonymous/disallow-anonymous/example-disallowed": _UNCLEAR,
    "disallowedrepos/repo-must-not-be-k8s-gcr-io/initcontainer-disallowed": _UNCLEAR,
    "seccomp/default-seccomp-required/example-allowed-container": _ANNOTATED,
    "seccomp/default-seccomp-required/example-allowed-global": _ANNOTATED,
}
"""By policy, test and case; `docs/checks.md` tells it too."""


class Verdict(NamedTuple):
    case: str
    policy: str
    expected: str
    found: str
    why: str
    messages: tuple[str, ...]


def verdicts(folder: Path) -> Iterator[Verdict]:
    """One for each case of the folder, which holds `cases.jsonl`; `found` is "" where nothing is comparable."""
    for line in (folder / "cases.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        name = f"{case['policy']}/{case['test']}/{case['case']}"
        why = _UPDATE if case["review"] and 'operation: "UPDATE"' in case["object"] else DIFFERENT.get(name, "")
        if case["policy"] not in POLICIES:
            yield Verdict(name, case["policy"], case["expected"], "", _REQUEST, ())
            continue
        messages = _said(case)
        yield Verdict(name, case["policy"], case["expected"], "fail" if messages else "pass", why, messages)


def _said(case: Mapping[str, Any]) -> tuple[str, ...]:
    constraint = yaml.safe_load(case["constraint"])
    given = (constraint.get("spec") or {}).get("parameters") or {}
    params = POLICIES[case["policy"]](given)
    if not params:
        return ()
    subject = Subject.of(_object(case))
    around = [Subject.of(item) for item in _around(case)]
    target = str(given["k8sVersion"]).partition(".")[2] if "k8sVersion" in given else ""
    asked = Asked(only=frozenset(params), params=params, target=int(target) if target else None)
    whole = case["policy"] == "storageclass"  # which looks the classes of the cluster up
    report = run(Inventory([subject, *around], whole=whole, live=whole), asked)
    said = [f"{item.check.id}: {item.message}" for item in report.outcomes if item.object == subject.ref]
    return (*said, *report.problems)


def _object(case: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(case["object"]) if isinstance(case["object"], str) else case["object"]
    return found.get("request", {}).get("object", found) if found.get("kind") == "AdmissionReview" else found


def _around(case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for text in case["inventory"] or ():
        yield from (item for item in yaml.safe_load_all(text) if item) if isinstance(text, str) else (text,)
