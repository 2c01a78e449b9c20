"""The cells of server-side Tables: functions of an object and of now (epoch seconds)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubesteward.embedded.durations import duration
from kubesteward_tools.twin import selectors
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object

Cell = Callable[[Object, float], Any]

NONE = "<none>"
UNSET = "<unset>"
_SHOWN = 3


def at(*path: str, default: Any = NONE) -> Cell:
    """What stands at a path of the object."""

    def cell(obj: Object, _: float) -> Any:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return default if value is None or value == "" else value

    return cell


def count(*path: str) -> Cell:
    return lambda obj, now: len(at(*path, default=())(obj, now))


def since(*path: str, default: str = "<unknown>") -> Cell:
    """How long ago a timestamp was."""

    def cell(obj: Object, now: float) -> str:
        stamp = at(*path, default="")(obj, now)
        return duration(now - parse_timestamp(stamp)) if stamp else default

    return cell


def yes(*path: str) -> Cell:
    """A boolean as kubectl writes it."""
    return lambda obj, now: str(bool(at(*path, default=False)(obj, now))).lower()


def always(value: str) -> Cell:
    return lambda obj, now: value


age = since("metadata", "creationTimestamp")
name = at("metadata", "name")


def pairs(*path: str) -> Cell:
    def cell(obj: Object, now: float) -> str:
        return ",".join(f"{key}={value}" for key, value in sorted(at(*path, default={})(obj, now).items())) or NONE

    return cell


def selector(*path: str) -> Cell:
    return lambda obj, now: selectors.describe(at(*path, default=None)(obj, now))


def each(field: str) -> Cell:
    """One field of every container, of a pod or of a template."""

    def cell(obj: Object, _: float) -> str:
        spec = obj.get("spec") or {}
        template = (spec.get("jobTemplate") or {}).get("spec", {}).get("template") or spec.get("template") or {}
        containers = (template.get("spec") or spec).get("containers") or ()
        return ",".join(str(item.get(field, "")) for item in containers) or NONE

    return cell


def ready_of_wanted(obj: Object, _: float) -> str:
    return f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"


def node_status(node: Object, _: float) -> str:
    conditions = (node.get("status") or {}).get("conditions") or ()
    good = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    word = "Ready" if good else "NotReady" if conditions else "Unknown"
    return f"{word},SchedulingDisabled" if (node.get("spec") or {}).get("unschedulable") else word


def node_roles(node: Object, _: float) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or NONE


def node_address(kind: str) -> Cell:
    def cell(node: Object, _: float) -> str:
        addresses = (node.get("status") or {}).get("addresses") or ()
        return next((item["address"] for item in addresses if item["type"] == kind), NONE)

    return cell


def service_ports(service: Object, _: float) -> str:
    shown = []
    for item in service["spec"].get("ports") or ():
        outside = f":{item['nodePort']}" if item.get("nodePort") else ""
        shown.append(f"{item['port']}{outside}/{item.get('protocol', 'TCP')}")
    return ",".join(shown) or NONE


def service_outside(service: Object, _: float) -> str:
    spec, status = service["spec"], service.get("status") or {}
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", NONE))
    found = [item.get("ip") or item["hostname"] for item in (status.get("loadBalancer") or {}).get("ingress") or ()]
    found += spec.get("externalIPs") or []
    return ",".join(found) or ("<pending>" if spec.get("type") == "LoadBalancer" else NONE)


def slice_endpoints(obj: Object, _: float) -> str:
    return _first_few([address for item in obj.get("endpoints") or () for address in item["addresses"]])


def slice_ports(obj: Object, _: float) -> str:
    return _first_few([str(item.get("port")) for item in obj.get("ports") or ()])


def endpoints(obj: Object, _: float) -> str:
    found = []
    for subset in obj.get("subsets") or ():
        ports = [port["port"] for port in subset.get("ports") or ()]
        found += [f"{item['ip']}:{port}" for port in ports for item in subset.get("addresses") or ()]
    return _first_few(found) if found else NONE


def _first_few(items: list[str]) -> str:
    more = f" + {len(items) - _SHOWN} more..." if len(items) > _SHOWN else ""
    return ",".join(items[:_SHOWN]) + more or UNSET


def quota(*, limits: bool) -> Cell:
    def cell(obj: Object, _: float) -> str:
        status = obj.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        chosen = [key for key in sorted(hard) if key.startswith("limits.") == limits]
        return ", ".join(f"{key}: {used.get(key, 0)}/{hard[key]}" for key in chosen)

    return cell


def about(event: Object, _: float) -> str:
    """What an event is about."""
    found = event.get("involvedObject") or {}
    return f"{found.get('kind', '').lower()}/{found.get('name', '')}"


def event_source(event: Object, _: float) -> str:
    source = event.get("source") or {}
    parts = [source.get("component") or event.get("reportingComponent", ""), source.get("host", "")]
    return ", ".join(part for part in parts if part)


def event_seen(event: Object, now: float) -> str:
    stamp = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return duration(now - parse_timestamp(stamp)) if stamp else "<unknown>"


def role(obj: Object, _: float) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


def subjects(kind: str) -> Cell:
    def cell(obj: Object, _: float) -> str:
        found = [item for item in obj.get("subjects") or () if item["kind"] == kind]
        account = kind == "ServiceAccount"
        return ", ".join(f"{item.get('namespace', '')}/{item['name']}" if account else item["name"] for item in found)

    return cell


def class_name(obj: Object, _: float) -> str:
    """A StorageClass by name, the default one marked."""
    notes = obj["metadata"].get("annotations") or {}
    default = notes.get("storageclass.kubernetes.io/is-default-class") == "true"
    return f"{obj['metadata']['name']} (default)" if default else str(obj["metadata"]["name"])


def access_modes(obj: Object, _: float) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(short.get(mode, mode) for mode in obj["spec"].get("accessModes") or ())


def volume_claim(obj: Object, _: float) -> str:
    found = obj["spec"].get("claimRef")
    return f"{found['namespace']}/{found['name']}" if found else ""


def job_status(obj: Object, _: float) -> str:
    status = obj.get("status") or {}
    held = {item["type"] for item in status.get("conditions") or () if item["status"] == "True"}
    for word in ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if word in held:
            return word
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else "Running"


def job_completions(obj: Object, _: float) -> str:
    done, spec = (obj.get("status") or {}).get("succeeded", 0), obj["spec"]
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    return f"{done}/1 of {spec['parallelism']}" if spec.get("parallelism", 1) > 1 else f"{done}/1"


def job_duration(obj: Object, now: float) -> str:
    status = obj.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = parse_timestamp(status["completionTime"]) if status.get("completionTime") else now
    return duration(end - parse_timestamp(status["startTime"]))


def scale_target(obj: Object, _: float) -> str:
    found = obj["spec"]["scaleTargetRef"]
    return f"{found['kind']}/{found['name']}"


def scale_metrics(obj: Object, _: float) -> str:
    """Like `cpu: 41%/80%` for utilisation; other metrics by their type alone."""
    current = {}
    for item in (obj.get("status") or {}).get("currentMetrics") or ():
        if item["type"] == "Resource":
            current[item["resource"]["name"]] = item["resource"]["current"].get("averageUtilization")
    shown = []
    for item in obj["spec"].get("metrics") or ():
        resource = item.get("resource") or {}
        wanted = (resource.get("target") or {}).get("averageUtilization")
        if wanted is None:
            shown.append(f"{item['type']}: <unknown>")
            continue
        has = current.get(resource["name"])
        shown.append(f"{resource['name']}: {'<unknown>' if has is None else f'{has}%'}/{wanted}%")
    return ", ".join(shown) or NONE


def ingress_hosts(obj: Object, _: float) -> str:
    hosts = [item["host"] for item in obj["spec"].get("rules") or () if item.get("host")]
    more = f" + {len(hosts) - _SHOWN} more..." if len(hosts) > _SHOWN else ""
    return ",".join(hosts[:_SHOWN]) + more or "*"


def ingress_address(obj: Object, _: float) -> str:
    found = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return ",".join(item.get("ip") or item.get("hostname", "") for item in found)


def ingress_ports(obj: Object, _: float) -> str:
    return "80, 443" if obj["spec"].get("tls") else "80"
