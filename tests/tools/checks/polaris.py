"""What Polaris' checks are called here, and where the two see it differently on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.run import Asked, run

_EXEC = ("role-exec",)
_BOUND_EXEC = ("binding-grants-exec", "binding-role-missing")
_STRICT: Mapping[str, Any] = {"binding-role-missing": {"strict": True}}
_NAME = {"instance-label-mismatch": {"label": "app.kubernetes.io/name"}}
_RANGE = {"memory": {"least": "100Mi", "most": "6G"}, "cpu": {"least": "100m", "most": "2"}}


class Ours(NamedTuple):
    """`kinds` narrows to the objects that the foreign check looks at, `role` to bindings of that kind of role."""

    checks: tuple[str, ...]
    params: Mapping[str, Any] = {}
    kinds: tuple[str, ...] = ()
    role: str = ""


SAME: Mapping[str, Ours] = {
    "automountServiceAccountToken": Ours(("service-account-token",), kinds=("Pod",)),
    "clusterrolePodExecAttach": Ours(_EXEC, kinds=("ClusterRole",)),
    "clusterrolebindingClusterAdmin": Ours(("binding-cluster-admin",), kinds=("ClusterRoleBinding",)),
    "clusterrolebindingPodExecAttach": Ours(_BOUND_EXEC, _STRICT, ("ClusterRoleBinding",)),
    "cpuLimitsMissing": Ours(("cpu-limit-missing",)),
    "cpuRequestsMissing": Ours(("cpu-request-missing",)),
    "dangerousCapabilities": Ours(("capabilities-dangerous",)),
    "deploymentMissingReplicas": Ours(("replicas-single",)),
    "hostIPCSet": Ours(("host-ipc",)),
    "hostNetworkSet": Ours(("host-network",)),
    "hostPIDSet": Ours(("host-pid",)),
    "hostPathSet": Ours(("host-path",)),
    "hostPortSet": Ours(("host-port",)),
    "hostProcess": Ours(("windows-host-process",)),
    "hpaMaxAvailability": Ours(("autoscaler-cannot-scale",)),
    "hpaMinAvailability": Ours(("autoscaler-minimum-low",)),
    "insecureCapabilities": Ours(("capabilities-kept",)),
    "linuxHardening": Ours(("linux-hardening-missing",)),
    "livenessProbeMissing": Ours(("liveness-probe-missing",)),
    "memoryLimitsMissing": Ours(("memory-limit-missing",)),
    "memoryRequestsMissing": Ours(("memory-request-missing",)),
    "metadataAndInstanceMismatched": Ours(("instance-label-mismatch",)),
    "missingNetworkPolicy": Ours(("network-policy-one-way",)),
    "missingPodDisruptionBudget": Ours(("budget-missing",), {"budget-missing": {"least": 0}}),
    "nakedPod": Ours(("instance-label-mismatch",), _NAME),
    "notReadOnlyRootFilesystem": Ours(("root-filesystem-writable",)),
    "oneController": Ours(("instance-label-mismatch",), _NAME, ("StatefulSet",)),
    "pdbDisruptionsIsZero": Ours(("budget-blocks-eviction",)),
    "pdbMinAvailableGreaterThanHPAMinReplicas": Ours(("budget-above-autoscaler",)),
    "priorityClassNotSet": Ours(("priority-class-missing",)),
    "privilegeEscalationAllowed": Ours(("privilege-escalation-allowed",)),
    "procMount": Ours(("proc-mount-unmasked",)),
    "pullPolicyNotAlways": Ours(("image-pull-policy",)),
    "readinessProbeMissing": Ours(("readiness-probe-missing",)),
    "resourceRange": Ours(("resources-out-of-range",), {"resources-out-of-range": {"ranges": {"limits": _RANGE}}}),
    "rolePodExecAttach": Ours(_EXEC, kinds=("Role",)),
    "rolebindingClusterAdminClusterRole": Ours(("binding-cluster-admin",), kinds=("RoleBinding",), role="ClusterRole"),
    "rolebindingClusterAdminRole": Ours(("binding-cluster-admin",), kinds=("RoleBinding",), role="Role"),
    "rolebindingClusterRolePodExecAttach": Ours(_BOUND_EXEC, _STRICT, ("RoleBinding",), role="ClusterRole"),
    "rolebindingRolePodExecAttach": Ours(_BOUND_EXEC, _STRICT, ("RoleBinding",), role="Role"),
    "runAsPrivileged": Ours(("container-privileged",)),
    "runAsRootAllowed": Ours(("run-as-root-allowed",)),
    "sensitiveConfigmapContent": Ours(("secret-in-configmap",)),
    "sensitiveContainerEnvVar": Ours(("secret-in-environment",)),
    "tagNotSpecified": Ours(("image-tag-floating",)),
    "tlsSettingsMissing": Ours(("ingress-without-tls",)),
    "topologySpreadConstraint": Ours(("spread-constraint-missing",)),
}

_NAMED = "exempt there by its name alone; here whoever wants it exempt writes the reason on it"
DIFFERENT: Mapping[str, str] = {
    "clusterrolePodExecAttach/success.gce_calico_clusterrole.yaml": _NAMED,
    "clusterrolebindingClusterAdmin/success.gce_calico_binding.yaml": _NAMED,
    "clusterrolebindingPodExecAttach/success.gce_calico_binding.yaml": _NAMED,
    "rolePodExecAttach/success.gce_calico_binding.yaml": _NAMED,
    "rolebindingClusterAdminClusterRole/success.gce_calico_binding.yaml": _NAMED,
    "rolebindingClusterAdminRole/success.gce_calico_binding.yaml": _NAMED,
    "rolebindingClusterRolePodExecAttach/success.gce_calico_binding.yaml": _NAMED,
    "rolebindingRolePodExecAttach/success.gce_calico_binding.yaml": _NAMED,
    "hpaMinAvailability/success.minReplicaAbsent.yaml": "minReplicas that is not set is 1 (autoscaling/v2)",
    "pullPolicyNotAlways/failure.cron-job.yaml": "an image without a tag is always pulled (core/v1 Container)",
    "pullPolicyNotAlways/failure.yaml": "an image without a tag is always pulled (core/v1 Container)",
}
"""By file; why we say otherwise. `docs/checks.md` tells it too."""


def _wanted(item: Any, ours: Ours) -> bool:
    return bool(item) and (not ours.role or item.get("roleRef", {}).get("kind", ours.role) == ours.role)


class Verdict(NamedTuple):
    check: str
    file: str
    expected: str
    found: str
    messages: tuple[str, ...]


def verdicts(folder: Path) -> Iterator[Verdict]:
    """One for each case of the folder, which holds `cases.json`."""
    for case in json.loads((folder / "cases.json").read_text("utf-8"))["cases"]:
        ours = SAME[case["check"]]
        documents = [
            item for item in yaml.safe_load_all((folder / case["file"]).read_text("utf-8")) if _wanted(item, ours)
        ]
        inventory = Inventory([Subject.of(item) for item in documents])
        report = run(inventory, Asked(only=frozenset(ours.checks), params=ours.params))
        said = [item for item in report.outcomes if not ours.kinds or item.object.kind in ours.kinds]
        messages = (*(f"{item.object}: {item.message}" for item in said), *report.problems)
        yield Verdict(case["check"], case["file"], case["expected"], "fail" if messages else "pass", messages)
