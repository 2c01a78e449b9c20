"""What the end of a CustomResourceDefinition, or of one of its versions, takes along."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.custom.definitions import CRDS, Definition
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Object


def objects_lost(evidence: Evidence) -> Iterator[Concern]:
    """All objects of the kind go with their definition: nothing but a backup brings them back."""
    for key, before, after in evidence.touched(evidence.best, CRDS):
        if before is None or (after is not None and "deletionTimestamp" not in after["metadata"]):
            continue
        if "deletionTimestamp" in before["metadata"]:
            continue
        count, kind = evidence.origin.count(key.name), Definition(before).names["kind"]
        if count:
            spaces = len(evidence.origin.spaces(key.name))
            where = f" in {spaces} namespaces" if spaces > 1 else ""
            yield Concern(
                rule="data.lost",
                severity="block",
                object=name(key),
                message=f"{name(key)} would take {count} {kind} object{'s' * (count > 1)}{where} along",
                remedy="Save these objects, and let their controller wind up what they stand for, before it goes.",
            )
        else:
            yield Concern(
                rule="definition.gone",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would be gone: {kind} is served no more, and controllers that watch it fail",
                remedy="Stop the controllers of this kind first.",
            )


def version_unserved(evidence: Evidence) -> Iterator[Concern]:
    """Clients of a version that is served no more get 404."""
    for key, before, after in evidence.touched(evidence.best, CRDS):
        if before is None or after is None or "deletionTimestamp" in after["metadata"]:
            continue
        for version in sorted(set(Definition(before).served()) - set(Definition(after).served())):
            yield Concern(
                rule="definition.version_unserved",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would serve {version} no more: clients of that version get 404",
                remedy="Move its clients to another version first.",
            )


def schema_tightened(evidence: Evidence) -> Iterator[Concern]:
    """Objects that were valid and are not any more can be read, and not changed until they are mended (KEP-4008)."""
    from kubesteward_tools.twin.custom import values

    for key, before, after in evidence.touched(evidence.best, CRDS):
        if before is None or after is None or "deletionTimestamp" in after["metadata"] or not _differ(before, after):
            continue
        definition = Definition(after)
        schema = definition.schema(definition.storage)
        wrong = [
            obj
            for obj in evidence.origin.objects(key.name)
            if next(values.check(obj, schema, root=True), None) is not None
        ]
        if wrong:
            first = wrong[0]["metadata"]["name"]
            yield Concern(
                rule="definition.objects_invalid",
                severity="warn",
                object=name(key),
                message=f"{len(wrong)} objects, {first!r} among them, do not fit the new schema of {name(key)}",
                remedy="Mend these objects first, or let the schema take them.",
            )


def _differ(before: Object, after: Object) -> bool:
    old, new = Definition(before), Definition(after)
    return old.storage != new.storage or old.schema(old.storage) != new.schema(new.storage)
