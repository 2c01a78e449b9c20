"""Pod Security Standards, as the PodSecurity admission plugin of Kubernetes 1.36 evaluates them (KEP-2579)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubesteward_policies.finding import Finding, Severity
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.psa_checks import baseline, restricted
from kubesteward_tools.twin.psa_checks.pod import Spec, Violation
from kubesteward_tools.twin.worlds import pod_of

LATEST = 36
LEVELS = ("privileged", "baseline", "restricted")
Check = Callable[[Spec, int], Violation | None]

_BASELINE: tuple[tuple[str, Check], ...] = (
    ("appArmorProfile", baseline.app_armor),
    ("capabilities_baseline", baseline.capabilities),
    ("hostNamespaces", baseline.host_namespaces),
    ("hostPathVolumes", baseline.host_paths),
    ("hostPorts", baseline.host_ports),
    ("hostProbesAndHostLifecycle", baseline.host_probes),
    ("privileged", baseline.privileged),
    ("procMount", baseline.proc_mount),
    ("seLinuxOptions", baseline.se_linux),
    ("seccompProfile_baseline", baseline.seccomp),
    ("sysctls", baseline.sysctls),
    ("windowsHostProcess", baseline.windows_host_process),
)
_RESTRICTED: tuple[tuple[str, Check], ...] = (
    ("allowPrivilegeEscalation", restricted.privilege_escalation),
    ("capabilities_restricted", restricted.capabilities),
    ("procMount_restricted", baseline.unmasked),
    ("restrictedVolumes", restricted.volumes),
    ("runAsNonRoot", restricted.run_as_non_root),
    ("runAsUser", restricted.run_as_user),
    ("seccompProfile_restricted", restricted.seccomp),
)
_OVERRIDDEN = {"capabilities_baseline", "hostPathVolumes", "procMount", "seccompProfile_baseline"}


def minor(version: str) -> int:
    """36 for "v1.36"; the newest one for "latest" and for what cannot be read."""
    match = re.fullmatch(r"v?1\.(\d+)", version)
    return int(match[1]) if match else LATEST


def violations(pod: Spec, level: str, version: str = "latest") -> list[tuple[str, Violation]]:
    """Every check that the pod fails, by check id, in the API server's order. `level` privileged fails nothing."""
    if level == "privileged":
        return []
    checks = _BASELINE
    if level == "restricted":
        checks = (*(item for item in _BASELINE if item[0] not in _OVERRIDDEN), *_RESTRICTED)
    at = minor(version)
    found = ((name, check(pod, at)) for name, check in checks)
    return [(name, violation) for name, violation in found if violation is not None]


def violation(pod: Spec, level: str, version: str = "latest") -> str:
    """What follows `violates PodSecurity "LEVEL:VERSION": ` in the API server's answer; "" for a pod that passes."""
    return ", ".join(f"{item.reason} ({item.detail})" for _, item in violations(pod, level, version))


def evaluate(pod: Mapping[str, Any], level: str, version: str = "latest") -> list[Finding]:
    """What the Pod Security Standards have against a pod: one finding for each check of the profile that it fails.

    Args:
        pod: a Pod, a pod template or a bare pod spec, as the API serves it; metadata and status may be missing.
        level: "privileged", "baseline" or "restricted".
        version: "latest", "v1.33" or "1.33"; one that cannot be read means the latest, as the API server has it.

    Returns:
        Findings of severity BLOCK with rule ids `psa.LEVEL.CHECK` (CHECK as upstream names it: hostPorts,
        runAsNonRoot), in the API server's order; [] for a pod that meets the level. Each has `as_json()`.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"a level is one of {', '.join(LEVELS)}, not {level!r}")
    pod = pod_of(pod)
    metadata = pod["metadata"]
    ref = Ref("", "", "Pod", metadata["namespace"], metadata["name"])
    return [
        Finding(f"psa.{level}.{name}", Severity.BLOCK, ref, f"{item.reason}: {item.detail}", "Change the named fields.")
        for name, item in violations(pod, level, version)
    ]
