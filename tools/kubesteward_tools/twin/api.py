"""The API server without HTTP: every write goes through defaulting, admission and validation, whoever makes it.

Controllers use the methods of `Api`; requests from outside come in through `requests.handle`, which also asks RBAC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubesteward_policies.change import APPLY_PATCH
from kubesteward_tools.twin import addresses, admission, defaults, status, validation
from kubesteward_tools.twin.admission.attempt import Attempt, Operation, Unknown
from kubesteward_tools.twin.admission.calling import Caller, by_state
from kubesteward_tools.twin.clock import Clock
from kubesteward_tools.twin.copying import copied
from kubesteward_tools.twin.custom import judging, naming, writes
from kubesteward_tools.twin.custom.definitions import CRDS, Definition
from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.twin.deletion import Deletion, settle_deletion
from kubesteward_tools.twin.identity import ADMIN, CONTROL_PLANE, User
from kubesteward_tools.twin.names import Names
from kubesteward_tools.twin.patches.patched import patched
from kubesteward_tools.twin.validation import pod_changes
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_CONTENT_FREE = {"metadata", "status", "apiVersion", "kind"}
_GENERATED_NAME_LIMIT = 58
_PARTS = {"resize": pod_changes.resized, "ephemeralcontainers": pod_changes.debugged}
"""Subresources through which only a part of the object is written."""

Managed = Callable[[Object], list[dict[str, Any]]]
"""From an object as it is going to be to its `managedFields`; asked only where the object has such a list."""


class Api:
    """Reads and writes of one cluster. All methods raise `ApiError`; returned objects must not be changed.

    `unknown` collects what admission could not decide, and let pass; `caller` asks webhooks.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        names: Names,
        known: Iterable[ResourceType] = (),
        caller: Caller = by_state,
    ) -> None:
        self.store = store
        self.kinds = ServedKinds(store, known)
        self.clock = clock
        self.names = names
        self.warnings: list[str] = []
        self.unknown = Unknown()
        self.caller = caller

    def kind(self, resource: str) -> ResourceType:
        found = self.kinds.by_resource(resource)
        if found is None:
            raise status.ApiError(404, "NotFound", "the server could not find the requested resource")
        return found

    def definition(self, kind: ResourceType) -> Definition | None:
        """Of a custom resource, as far as it is there."""
        return self.kinds.definition(kind.resource) if self.kinds.is_custom(kind) else None

    def get(self, resource: str, namespace: str, name: str) -> Object:
        obj = self.store.get(Key(resource, namespace, name))
        if obj is None:
            raise status.not_found(self.kind(resource), name)
        return obj

    def create(
        self,
        resource: str,
        namespace: str,
        obj: Object,
        *,
        user: User = ADMIN,
        dry_run: bool = False,
        managed: Managed | None = None,
    ) -> Object:
        kind = self.kind(resource)
        new = self._named(kind, namespace, obj)
        metadata = new["metadata"]
        for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "managedFields"):
            metadata.pop(field, None)
        metadata.update(uid=self.names.uid(), creationTimestamp=self.clock.timestamp)
        if "spec" in new or self.kinds.is_custom(kind):
            metadata["generation"] = 1
        if "status" in kind.subresources and resource != "namespaces":
            new.pop("status", None)
        attempt = self._admit(self._attempt("CREATE", kind, new, None, user, dry_run=dry_run))
        key = Key(resource, namespace, metadata["name"])
        if self.store.get(key) is not None:
            raise status.already_exists(kind, metadata["name"])
        _first_status(resource, new)
        if resource == CRDS:
            new["status"] = naming.status(new, self.kinds.definitions(), self.clock.timestamp)
        if managed is not None:
            metadata["managedFields"] = managed(new)
        return self._commit(attempt, key, dry_run=dry_run)

    def update(
        self,
        resource: str,
        namespace: str,
        name: str,
        obj: Object,
        *,
        user: User = ADMIN,
        subresource: str = "",
        dry_run: bool = False,
        managed: Managed | None = None,
    ) -> Object:
        kind, old = self.kind(resource), self.get(resource, namespace, name)
        new = self._prepared(kind, obj, old, subresource)
        if managed is None and _same(new, old):
            return old
        attempt = self._attempt("UPDATE", kind, new, old, user, dry_run=dry_run, subresource=subresource)
        if subresource == "status":
            if self.kinds.is_custom(kind):
                judging.judge(attempt, self.definition(kind))
            admission.judge(attempt)
        else:
            self._admit(attempt)
            if managed is not None and "managedFields" in old["metadata"]:
                new["metadata"]["managedFields"] = managed(new)
            if _same(new, old):
                return old
            if "generation" in old["metadata"] and _content(kind, new, self) != _content(kind, old, self):
                new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        return self._commit(attempt, Key(resource, namespace, name), dry_run=dry_run)

    def update_status(self, resource: str, namespace: str, name: str, new_status: dict[str, Any]) -> Object:
        """The controllers' way: replaces the status, and does nothing when it is the same."""
        old = self.get(resource, namespace, name)
        if old.get("status") == new_status:
            return old
        new = {**old, "status": new_status}
        self._presume("UPDATE", self.kind(resource), new, old, "status")
        return self._put(Key(resource, namespace, name), new)

    def patch(
        self,
        resource: str,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str,
        *,
        user: User = ADMIN,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        if content_type == APPLY_PATCH and self.store.get(Key(resource, namespace, name)) is None:
            return self.create(resource, namespace, patch, user=user, dry_run=dry_run)
        old = self.get(resource, namespace, name)
        new = patched(old, patch, content_type)
        return self.update(resource, namespace, name, new, user=user, subresource=subresource, dry_run=dry_run)

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        user: User | None = None,
        options: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Object:
        """The object as it is afterwards: with a deletionTimestamp where it lingers, as it was where it is gone.

        Where no `user` is given it is the control plane that clears up, and a refusal is a thing not simulated.
        """
        kind, old = self.kind(resource), self.get(resource, namespace, name)
        if user is None:
            self._presume("DELETE", kind, old, old)
        else:
            admission.judge(self._attempt("DELETE", kind, old, old, user, dry_run=dry_run))
        deletion = Deletion(kind, old, options or {}, self.clock.now, self.warnings)
        deletion.check_preconditions()
        lingering = naming.marked(old, self.clock.timestamp) if resource == CRDS else deletion.lingering()
        if dry_run:
            return lingering or old
        key = Key(resource, namespace, name)
        if lingering is None:
            return self._remove(key, old)
        return self._put(key, lingering) if lingering != old else old

    def replace(self, key: Key, obj: Object) -> Object:
        """A write by the control plane itself that is not held up: events, endpoints, owner references."""
        old = self.store.get(key)
        self._presume("UPDATE" if old else "CREATE", self.kind(key.resource), obj, old)
        return self._put(key, obj)

    def bind(self, namespace: str, name: str, pod: Object) -> Object:
        """The write of `spec.nodeName`, which no ordinary update may make."""
        return self._put(Key("pods", namespace, name), pod)

    def finalize(self, name: str, obj: Object) -> Object:
        """A namespace's own finalizers; when the last one goes, so does the namespace."""
        old = self.get("namespaces", "", name)
        new = {**old, "spec": {**old["spec"], "finalizers": (obj.get("spec") or {}).get("finalizers") or []}}
        key = Key("namespaces", "", name)
        return self._remove(key, new) if settle_deletion(new) else self._put(key, new)

    def remove(self, resource: str, namespace: str, name: str) -> None:
        """Take the object away at once, as the kubelet does when a pod has stopped. Finalizers still hold it."""
        old = self.store.get(Key(resource, namespace, name))
        if old is not None:
            self.delete(resource, namespace, name, options={"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

    def _named(self, kind: ResourceType, namespace: str, obj: Object) -> Object:
        new: Object = copied(obj)
        metadata = new["metadata"] = new.get("metadata") or {}
        new.setdefault("kind", kind.kind)
        new.setdefault("apiVersion", kind.api_version)
        if new["kind"] != kind.kind:
            raise status.bad_request(f"the kind {new['kind']} does not fit the resource {kind.resource}")
        if metadata.setdefault("namespace", namespace) != namespace:
            raise status.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if not kind.namespaced:
            del metadata["namespace"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"][:_GENERATED_NAME_LIMIT] + self.names.suffix()
        if not metadata.get("name"):
            errors = [status.required("metadata.name", "name or generateName is required")]
            raise status.invalid(status.qualified(kind), "", errors)
        return new

    def _prepared(self, kind: ResourceType, obj: Object, old: Object, subresource: str) -> Object:
        """The new object with all that only the server may set."""
        name, metadata = old["metadata"]["name"], obj.get("metadata") or {}
        if metadata.get("name", name) != name:
            what = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            raise status.bad_request(what)
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise status.conflict(kind, name)
        if subresource == "status":
            return {**old, "status": copied(obj.get("status") or {})}
        new: Object = copied(obj)
        if part := _PARTS.get(subresource):
            new = {**old, "metadata": metadata, "spec": part(new.get("spec") or {}, copied(old["spec"]))}
        new["metadata"] = {
            **{key: value for key, value in metadata.items() if key not in _SERVER_OWNED or key == "uid"},
            **{key: value for key, value in old["metadata"].items() if key in _SERVER_OWNED and key != "uid"},
            "resourceVersion": old["metadata"]["resourceVersion"],
        }
        for field in ("uid", "name", "namespace"):
            if field in old["metadata"]:
                new["metadata"].setdefault(field, old["metadata"][field])
        new["metadata"].pop("managedFields", None)
        if "managedFields" in old["metadata"]:
            new["metadata"]["managedFields"] = old["metadata"]["managedFields"]
        new["kind"], version = old.get("kind", kind.kind), old.get("apiVersion", kind.api_version)
        new["apiVersion"] = new.get("apiVersion", version) if self.kinds.is_custom(kind) else version
        if "status" in kind.subresources:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        return new

    def ask(
        self, kind: ResourceType, body: Object, pod: Object, user: User, *, subresource: str, dry_run: bool
    ) -> None:
        """Let policies and webhooks judge a body that stands for something done to a pod. Raises ApiError."""
        attempt = self._attempt("CREATE", kind, body, None, user, dry_run=dry_run, subresource=subresource)
        attempt.parent = pod["metadata"]["namespace"], pod["metadata"]["name"]
        admission.judge(attempt)

    def _presume(
        self, operation: Operation, kind: ResourceType, new: Object, old: Object | None, subresource: str = ""
    ) -> None:
        """That the control plane's own writes are let through; one that is not makes the outcome unknown."""
        if kind.resource == "events" or not admission.is_guarded(self.store):
            return
        attempt = self._attempt(operation, kind, new, old, CONTROL_PLANE, dry_run=False, subresource=subresource)
        attempt.warnings = []
        try:
            admission.presume(attempt)
        except status.ApiError as error:
            what = f"{kind.plural}/{subresource}" if subresource else kind.plural
            self.unknown.append(f"the control plane's writes of {what} are refused, which is not simulated: {error}")

    def _attempt(
        self,
        operation: Operation,
        kind: ResourceType,
        new: Object,
        old: Object | None,
        user: User,
        *,
        dry_run: bool,
        subresource: str = "",
    ) -> Attempt:
        return Attempt(
            self.store,
            operation,
            kind,
            new,
            old,
            user,
            self.names,
            warnings=self.warnings,
            subresource=subresource,
            dry_run=dry_run,
            unknown=self.unknown,
            caller=self.caller,
        )

    def _admit(self, attempt: Attempt) -> Attempt:
        if self.kinds.is_custom(attempt.kind):
            return self._admit_custom(attempt)
        if not isinstance(attempt.obj.get("spec", {}), dict):
            raise status.bad_request(f"{attempt.kind.kind} in version {attempt.kind.version!r}: spec must be an object")
        defaults.fill(attempt.resource, attempt.obj)
        if attempt.resource == "services":
            addresses.allocate(attempt)
        for plugin in admission.MUTATING:
            plugin(attempt)
        defaults.fill(attempt.resource, attempt.obj)
        validation.check(attempt.kind, attempt.obj, attempt.old, attempt.subresource)
        for plugin in admission.VALIDATING:
            plugin(attempt)
        return attempt

    def _admit_custom(self, attempt: Attempt) -> Attempt:
        definition = self.definition(attempt.kind)
        if definition is not None and attempt.operation == "CREATE":
            writes.check_not_terminating(definition)
        for plugin in (*admission.MUTATING, *admission.VALIDATING):
            plugin(attempt)
        judging.judge(attempt, definition)
        return attempt

    def _commit(self, attempt: Attempt, key: Key, *, dry_run: bool) -> Object:
        if dry_run:
            return {**attempt.obj, "metadata": dict(attempt.obj["metadata"])}
        for quota in attempt.charges:
            self._put(Key("resourcequotas", quota["metadata"]["namespace"], quota["metadata"]["name"]), quota)
        obj = attempt.obj
        if settle_deletion(obj):
            return self._remove(key, obj)
        return self._put(key, obj)

    def _put(self, key: Key, obj: Object) -> Object:
        self.store.revision += 1
        new = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.store.revision)}}
        self.store.put(key, new)
        return new

    def _remove(self, key: Key, obj: Object) -> Object:
        self.store.revision += 1
        last = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.store.revision)}}
        self.store.delete(key, last)
        return last


def _content(kind: ResourceType, obj: Object, api: Api) -> Object:
    """What a generation counts. The status of a custom resource does where it has no subresource of its own."""
    free = _CONTENT_FREE
    if api.kinds.is_custom(kind) and "status" not in kind.subresources:
        free = free - {"status"}
    return {part: value for part, value in obj.items() if part not in free}


def _same(new: Object, old: Object) -> bool:
    return new == old


def _first_status(resource: str, obj: Object) -> None:
    """The status that some kinds are born with."""
    if resource == "pods":
        from kubesteward_tools.twin.quota import qos_class

        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
    elif resource in {"persistentvolumeclaims", "persistentvolumes"}:
        obj["status"] = {"phase": "Pending"}
    elif resource == "services":
        obj["status"] = {"loadBalancer": {}}
    elif "spec" in obj and resource in {
        "deployments.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
        "poddisruptionbudgets.policy",
    }:
        obj["status"] = {}
    elif resource in {"replicasets.apps", "statefulsets.apps"}:
        obj["status"] = {"replicas": 0}
