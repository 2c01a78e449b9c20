"""Shows one object as YAML, redacted."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.arguments import Cluster, Format, Kind, ManyClusters, Name, Namespace
from kubesteward_tools.lookup.scope import each, scoped
from kubesteward_tools.lookup.shown import brief, whole
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.text.budget import cap
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.world.store import Object

_LONGEST = {"concise": 12_000, "detailed": 40_000}
_ALWAYS = ("apiVersion", "kind")


@tool(Tier.OBSERVE, title="Show an object", open_world=True)
async def get_resource_yaml(
    desk: Desk,
    *,
    kind: Kind,
    name: Name,
    namespace: Namespace = "",
    sections: Annotated[
        list[str] | None, Field(max_length=20, description="Paths, e.g. spec.template, status.conditions")
    ] = None,
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """One object as YAML, without secrets. concise leaves out defaults."""
    scope = await scoped(desk, cluster, clusters, namespace)
    found = [item for _, item in await each(scope, lambda world: find(world, kind, name, namespace))]
    for item in found:
        if item.type.resource in item.world.forbidden and not namespace:  # there may be one of that name elsewhere
            scope.miss(item.world, item.type.resource)
    scope.namespace = found[0].key.namespace
    show = brief if response_format == "concise" else whole
    objects = [_picked(show(item.obj), sections) for item in found]
    text = cap("---\n".join(map(_yaml, objects)), _LONGEST[response_format])
    source = ", ".join(f"{item.label} in {item.world.cluster}" for item in found)
    data: dict[str, Any] = {"scope": scope.data(), "objects": objects}
    return Answer("\n".join([*scope.lines(), source]), data, untrusted=text, source=source)


def _picked(obj: Object, sections: list[str] | None) -> Object:
    """The parts at these paths. Raises InvalidArguments naming what there is when one leads nowhere."""
    if not sections:
        return obj
    picked: Object = {key: obj[key] for key in _ALWAYS if key in obj}
    for path in sections:
        picked[path] = _at(obj, path)
    return picked


def _at(obj: Object, path: str) -> Any:
    value: Any = obj
    for step in path.strip(".").split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            there = ", ".join(map(str, value)) if isinstance(value, dict) else "no names"
            raise InvalidArguments(f"there is no section {path[:80]!r}.", todo=f"Beside {step[:40]!r}: {there[:200]}.")
    return value


def _yaml(obj: Object) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(obj, Dumper=dumper, sort_keys=False, allow_unicode=True, width=160))
