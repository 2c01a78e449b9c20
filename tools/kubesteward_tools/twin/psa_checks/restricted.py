"""The restricted profile: hardening on top of baseline. Docs: Pod Security Standards."""

from __future__ import annotations

from kubesteward_tools.twin.psa_checks.pod import (
    Spec,
    Violation,
    containers,
    context,
    is_windows,
    isolates_users,
    must,
    named,
)

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_OS_AWARE = 25
"""Since 1.25 what makes sense on Linux only is not asked of Windows pods."""


def privilege_escalation(pod: Spec, version: int) -> Violation | None:
    if version >= _OS_AWARE and is_windows(pod["spec"]):
        return None
    bad = [c["name"] for c in containers(pod["spec"]) if context(c).get("allowPrivilegeEscalation") is not False]
    what = "set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", must(bad, what)) if bad else None


def capabilities(pod: Spec, version: int) -> Violation | None:
    if version >= _OS_AWARE and is_windows(pod["spec"]):
        return None
    keeping, adding, added = list[str](), list[str](), set[str]()
    for container in containers(pod["spec"]):
        wanted = context(container).get("capabilities") or {}
        if "ALL" not in (wanted.get("drop") or ()):
            keeping.append(container["name"])
        beyond = set(wanted.get("add") or ()) - {"NET_BIND_SERVICE"}
        if beyond:
            adding.append(container["name"])
            added |= beyond
    parts = [must(keeping, 'set securityContext.capabilities.drop=["ALL"]')] if keeping else []
    if adding:
        names = ", ".join(f'"{name}"' for name in sorted(added))
        parts.append(must(adding, f"not include {names} in securityContext.capabilities.add"))
    return Violation("unrestricted capabilities", "; ".join(parts)) if parts else None


def volumes(pod: Spec, _: int) -> Violation | None:
    names, types = list[str](), set[str]()
    for volume in pod["spec"].get("volumes") or ():
        kinds = {field for field in volume if field != "name"} - _VOLUMES
        if kinds:
            names.append(volume["name"])
            types |= kinds
    if not names:
        return None
    verb, kind = ("use", "types") if len(names) > 1 else ("uses", "type")
    kind = "types" if len(types) > 1 else "type" if len(names) == 1 else kind
    shown = ", ".join(f'"{name}"' for name in sorted(types))
    return Violation("restricted volume types", f"{named('volume', names)} {verb} restricted volume {kind} {shown}")


def run_as_non_root(pod: Spec, version: int) -> Violation | None:
    if version >= 35 and isolates_users(pod["spec"]):
        return None
    pod_says = context(pod["spec"]).get("runAsNonRoot")
    explicit = [c["name"] for c in containers(pod["spec"]) if context(c).get("runAsNonRoot") is False]
    silent = [c["name"] for c in containers(pod["spec"]) if context(c).get("runAsNonRoot") is None]
    if explicit:
        return Violation("runAsNonRoot != true", must(explicit, "not set securityContext.runAsNonRoot=false"))
    if silent and pod_says is False:
        return Violation("runAsNonRoot != true", "pod must not set securityContext.runAsNonRoot=false")
    if silent and not pod_says:
        return Violation("runAsNonRoot != true", must(silent, "set securityContext.runAsNonRoot=true", pod_may=True))
    return None


def run_as_user(pod: Spec, version: int) -> Violation | None:
    if version < 23 or (version >= 35 and isolates_users(pod["spec"])):
        return None
    bad = [c["name"] for c in containers(pod["spec"]) if context(c).get("runAsUser") == 0]
    parts = ["pod must not set runAsUser=0"] if context(pod["spec"]).get("runAsUser") == 0 else []
    if bad:
        parts.append(must(bad, "not set runAsUser=0"))
    return Violation("runAsUser=0", "; ".join(parts)) if parts else None


def seccomp(pod: Spec, version: int) -> Violation | None:
    if version < 19 or (version >= _OS_AWARE and is_windows(pod["spec"])):
        return None
    wrong, silent = list[str](), list[str]()
    for container in containers(pod["spec"]):
        profile = context(container).get("seccompProfile")
        if profile is None:
            silent.append(container["name"])
        elif profile.get("type") not in {"RuntimeDefault", "Localhost"}:
            wrong.append(container["name"])
    own = (context(pod["spec"]).get("seccompProfile") or {}).get("type")
    field, good = "securityContext.seccompProfile.type to", '"RuntimeDefault" or "Localhost"'
    if wrong:
        return Violation("seccompProfile", must(wrong, f'not set {field} "Unconfined"'))
    if silent and own not in {None, "RuntimeDefault", "Localhost"}:
        return Violation("seccompProfile", f'pod must not set {field} "{own}"')
    if silent and own is None:
        return Violation("seccompProfile", must(silent, f"set {field} {good}", pod_may=True))
    return None
