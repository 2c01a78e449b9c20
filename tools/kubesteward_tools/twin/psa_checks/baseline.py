"""The baseline profile: what a pod must not do to its host. Docs: Pod Security Standards."""

from __future__ import annotations

from kubesteward_policies.unattended import BASELINE_CAPABILITIES
from kubesteward_tools.twin.psa_checks.pod import (
    Spec,
    Violation,
    containers,
    context,
    isolates_users,
    must,
    named,
)

_SYSCTLS = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t"}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def app_armor(pod: Spec, _: int) -> Violation | None:
    spec, parts = pod["spec"], list[str]()
    if _profile(spec, "appArmorProfile") == "Unconfined":
        parts.append('pod must not set AppArmor profile type to "Unconfined"')
    bad = [c["name"] for c in containers(spec) if _profile(c, "appArmorProfile") == "Unconfined"]
    if bad:
        parts.append(must(bad, 'not set AppArmor profile type to "Unconfined"'))
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    wrong = sorted(
        f'{key}="{value}"'
        for key, value in annotations.items()
        if key.startswith(_APPARMOR) and value not in {"", "runtime/default"} and not value.startswith("localhost/")
    )
    if wrong:
        parts.append(f"{'annotations' if len(wrong) > 1 else 'annotation'} {', '.join(wrong)}")
    what = "forbidden AppArmor profiles" if len(wrong) + len(bad) > 1 else "forbidden AppArmor profile"
    return Violation(what, "; ".join(parts)) if parts else None


def _profile(holder: Spec, field: str) -> str:
    return str((context(holder).get(field) or {}).get("type", ""))


def capabilities(pod: Spec, _: int) -> Violation | None:
    bad, added = list[str](), set[str]()
    for container in containers(pod["spec"]):
        beyond = set((context(container).get("capabilities") or {}).get("add") or ()) - BASELINE_CAPABILITIES
        if beyond:
            bad.append(container["name"])
            added |= beyond
    if not bad:
        return None
    names = ", ".join(f'"{name}"' for name in sorted(added))
    return Violation("non-default capabilities", must(bad, f"not include {names} in securityContext.capabilities.add"))


def host_namespaces(pod: Spec, _: int) -> Violation | None:
    used = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if pod["spec"].get(field)]
    return Violation("host namespaces", ", ".join(used)) if used else None


def host_paths(pod: Spec, _: int) -> Violation | None:
    names = [volume["name"] for volume in pod["spec"].get("volumes") or () if volume.get("hostPath")]
    return Violation("hostPath volumes", named("volume", names)) if names else None


def host_ports(pod: Spec, _: int) -> Violation | None:
    bad, ports = list[str](), list[str]()
    for container in containers(pod["spec"]):
        used = [str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")]
        if used:
            bad.append(container["name"])
            ports += [port for port in used if port not in ports]
    if not bad:
        return None
    verb = "use" if len(bad) > 1 else "uses"
    detail = f"{named('container', bad)} {verb} hostPort{'s' if len(ports) > 1 else ''} {', '.join(ports)}"
    return Violation("hostPort", detail)


def host_probes(pod: Spec, version: int) -> Violation | None:
    """A probe or hook may not reach other hosts (since 1.34)."""
    if version < 34:
        return None
    bad, hosts = list[str](), list[str]()
    for container in containers(pod["spec"]):
        found = [host for host in _handler_hosts(container) if host]
        if found:
            bad.append(container["name"])
            hosts += found
    if not bad:
        return None
    names = ", ".join(f'"{host}"' for host in dict.fromkeys(hosts))
    return Violation("probe or lifecycle host", f"{named('container', bad)} uses probe or lifecycle host {names}")


def _handler_hosts(container: Spec) -> list[str]:
    handlers = [container.get(name) or {} for name in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers += [(container.get("lifecycle") or {}).get(name) or {} for name in ("postStart", "preStop")]
    return [(handler.get(kind) or {}).get("host", "") for handler in handlers for kind in ("httpGet", "tcpSocket")]


def privileged(pod: Spec, _: int) -> Violation | None:
    bad = [c["name"] for c in containers(pod["spec"]) if context(c).get("privileged")]
    return Violation("privileged", must(bad, "not set securityContext.privileged=true")) if bad else None


def proc_mount(pod: Spec, version: int) -> Violation | None:
    if version >= 35 and isolates_users(pod["spec"]):
        return None
    return unmasked(pod, version)


def unmasked(pod: Spec, _: int) -> Violation | None:
    found = {
        c["name"]: context(c)["procMount"]
        for c in containers(pod["spec"])
        if context(c).get("procMount") not in {None, "Default"}
    }
    if not found:
        return None
    values = ", ".join(f'"{value}"' for value in sorted(set(found.values())))
    return Violation("procMount", must(list(found), f"not set securityContext.procMount to {values}"))


def se_linux(pod: Spec, version: int) -> Violation | None:
    allowed = _SELINUX_TYPES | ({"container_engine_t"} if version >= 31 else set())
    holders = [("pod", pod["spec"])] + [(c["name"], c) for c in containers(pod["spec"])]
    bad = list[str]()
    values = set[str]()
    for name, holder in holders:
        options = context(holder).get("seLinuxOptions") or {}
        wrong = {f'type "{options["type"]}"'} if options.get("type", "") not in allowed else set[str]()
        wrong |= {f"{field} may not be set" for field in ("user", "role") if options.get(field)}
        if wrong:
            bad.append(name)
            values |= wrong
    if not bad:
        return None
    return Violation(
        "seLinuxOptions", f"{', '.join(bad)} set forbidden securityContext.seLinuxOptions: {'; '.join(sorted(values))}"
    )


def seccomp(pod: Spec, _: int) -> Violation | None:
    parts = list[str]()
    if _profile(pod["spec"], "seccompProfile") == "Unconfined":
        parts.append('pod must not set securityContext.seccompProfile.type to "Unconfined"')
    bad = [c["name"] for c in containers(pod["spec"]) if _profile(c, "seccompProfile") == "Unconfined"]
    if bad:
        parts.append(must(bad, 'not set securityContext.seccompProfile.type to "Unconfined"'))
    return Violation("seccompProfile", "; ".join(parts)) if parts else None


def sysctls(pod: Spec, version: int) -> Violation | None:
    bad = [
        item["name"]
        for item in context(pod["spec"]).get("sysctls") or ()
        if version < _SYSCTLS.get(item["name"], 1 << 30)
    ]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def windows_host_process(pod: Spec, _: int) -> Violation | None:
    def asks(holder: Spec) -> bool:
        return bool((context(holder).get("windowsOptions") or {}).get("hostProcess"))

    bad = [c["name"] for c in containers(pod["spec"]) if asks(c)]
    parts = ["pod must not set securityContext.windowsOptions.hostProcess=true"] if asks(pod["spec"]) else []
    if bad:
        parts.append(must(bad, "not set securityContext.windowsOptions.hostProcess=true"))
    return Violation("hostProcess", " and ".join(parts)) if parts else None
