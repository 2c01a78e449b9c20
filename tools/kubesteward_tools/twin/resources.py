"""The built-in resources of Kubernetes 1.36 that the twin serves."""

from __future__ import annotations

from kubesteward_tools.world.kinds import ResourceType

_CREATE_ONLY = ("create",)
_READ_ONLY = ("get", "list")
_STATUS = ("status",)
_SCALED = ("scale", "status")

# group, version, then: kind, plural, short names, subresources, categories ("-" in front of the kind: cluster-scoped)
_TABLE: dict[tuple[str, str], tuple[tuple[str, str, str, tuple[str, ...], str], ...]] = {
    ("", "v1"): (
        ("-Namespace", "namespaces", "ns", ("finalize", "status"), ""),
        ("-Node", "nodes", "no", _STATUS, ""),
        ("-PersistentVolume", "persistentvolumes", "pv", _STATUS, ""),
        ("Pod", "pods", "po", ("binding", "ephemeralcontainers", "eviction", "exec", "log", "resize", "status"), "all"),
        ("Service", "services", "svc", _STATUS, "all"),
        ("ConfigMap", "configmaps", "cm", (), ""),
        ("Secret", "secrets", "", (), ""),
        ("ServiceAccount", "serviceaccounts", "sa", (), ""),
        ("Endpoints", "endpoints", "ep", (), ""),
        ("Event", "events", "ev", (), ""),
        ("LimitRange", "limitranges", "limits", (), ""),
        ("ResourceQuota", "resourcequotas", "quota", _STATUS, ""),
        ("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", _STATUS, ""),
        ("ReplicationController", "replicationcontrollers", "rc", _SCALED, "all"),
    ),
    ("apps", "v1"): (
        ("Deployment", "deployments", "deploy", _SCALED, "all"),
        ("ReplicaSet", "replicasets", "rs", _SCALED, "all"),
        ("StatefulSet", "statefulsets", "sts", _SCALED, "all"),
        ("DaemonSet", "daemonsets", "ds", _STATUS, "all"),
        ("ControllerRevision", "controllerrevisions", "", (), ""),
    ),
    ("batch", "v1"): (
        ("Job", "jobs", "", _STATUS, "all"),
        ("CronJob", "cronjobs", "cj", _STATUS, "all"),
    ),
    ("autoscaling", "v2"): (("HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", _STATUS, "all"),),
    ("policy", "v1"): (("PodDisruptionBudget", "poddisruptionbudgets", "pdb", _STATUS, ""),),
    ("discovery.k8s.io", "v1"): (("EndpointSlice", "endpointslices", "", (), ""),),
    ("networking.k8s.io", "v1"): (
        ("Ingress", "ingresses", "ing", _STATUS, ""),
        ("NetworkPolicy", "networkpolicies", "netpol", (), ""),
        ("-IngressClass", "ingressclasses", "", (), ""),
    ),
    ("rbac.authorization.k8s.io", "v1"): (
        ("Role", "roles", "", (), ""),
        ("RoleBinding", "rolebindings", "", (), ""),
        ("-ClusterRole", "clusterroles", "", (), ""),
        ("-ClusterRoleBinding", "clusterrolebindings", "", (), ""),
    ),
    ("storage.k8s.io", "v1"): (("-StorageClass", "storageclasses", "sc", (), ""),),
    ("node.k8s.io", "v1"): (("-RuntimeClass", "runtimeclasses", "", (), ""),),
    ("scheduling.k8s.io", "v1"): (("-PriorityClass", "priorityclasses", "pc", (), ""),),
    ("coordination.k8s.io", "v1"): (("Lease", "leases", "", (), ""),),
    ("admissionregistration.k8s.io", "v1"): (
        ("-ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", (), ""),
        ("-MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", (), ""),
        ("-ValidatingAdmissionPolicy", "validatingadmissionpolicies", "", _STATUS, ""),
        ("-ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", "", (), ""),
    ),
    ("apiextensions.k8s.io", "v1"): (
        ("-CustomResourceDefinition", "customresourcedefinitions", "crd crds", _STATUS, "api-extensions"),
    ),
    ("apiregistration.k8s.io", "v1"): (("-APIService", "apiservices", "", _STATUS, "api-extensions"),),
}

_REVIEWS = (
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False),
    ("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", False),
    ("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", True),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", False),
)


def _stored() -> list[ResourceType]:
    return [
        ResourceType(
            group,
            version,
            kind.removeprefix("-"),
            plural,
            namespaced=not kind.startswith("-"),
            singular=kind.removeprefix("-").lower(),
            short_names=tuple(short.split()),
            categories=tuple(category.split()),
            subresources=subresources,
        )
        for (group, version), rows in _TABLE.items()
        for kind, plural, short, subresources, category in rows
    ]


STORED: tuple[ResourceType, ...] = tuple(_stored())
"""Resources whose objects live in the store."""

REVIEWS: tuple[ResourceType, ...] = tuple(
    ResourceType(group, "v1", kind, plural, namespaced, kind.lower(), verbs=_CREATE_ONLY)
    for group, kind, plural, namespaced in _REVIEWS
)
"""Questions that are answered and not kept."""

METRICS: tuple[ResourceType, ...] = (
    ResourceType("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", False, "", verbs=_READ_ONLY),
    ResourceType("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", True, "", verbs=_READ_ONLY),
)
"""Resources that are computed when they are read."""

BUILT_IN: tuple[ResourceType, ...] = STORED + REVIEWS + METRICS

_BY_PLURAL = {(item.group, item.plural): item for item in BUILT_IN}
_BY_BARE_PLURAL = {item.plural: item for item in reversed(BUILT_IN)}
_BY_KIND = {(item.group, item.kind): item for item in BUILT_IN}
_BY_RESOURCE = {item.resource: item for item in BUILT_IN}


def find(group: str, plural: str) -> ResourceType | None:
    return _BY_PLURAL.get((group, plural))


def by_plural(plural: str) -> ResourceType | None:
    """The built-in resource that a plural without a group means: the first of that name, core before others."""
    return _BY_BARE_PLURAL.get(plural)


def by_kind(group: str, kind: str) -> ResourceType | None:
    return _BY_KIND.get((group, kind))


def by_resource(resource: str) -> ResourceType | None:
    """By the string that keys the store: "pods", "deployments.apps"."""
    return _BY_RESOURCE.get(resource)


def of(api_version: str, kind: str) -> ResourceType | None:
    """By what an object says of itself; the version is not compared."""
    return by_kind(api_version.rpartition("/")[0], kind)
