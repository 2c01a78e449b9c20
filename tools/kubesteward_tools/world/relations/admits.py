"""Writes are admitted, and stored objects converted, by webhooks behind Services and by policies.

API docs: admissionregistration.k8s.io/v1 WebhookClientConfig and failurePolicy (Ignore: writes go on without it),
ValidatingAdmissionPolicyBinding, MutatingAdmissionPolicyBinding, apiextensions.k8s.io/v1 CustomResourceConversion.
A binding's paramRef has no kind of its own: the policy knows it, so that no edge can be derived from the binding alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text
from kubesteward_tools.world.store import Key, Object

RELATION = "admits"
_ADMISSION = "admissionregistration.k8s.io"
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_BINDINGS = {
    f"validatingadmissionpolicybindings.{_ADMISSION}": f"validatingadmissionpolicies.{_ADMISSION}",
    f"mutatingadmissionpolicybindings.{_ADMISSION}": f"mutatingadmissionpolicies.{_ADMISSION}",
}
RESOURCES = (
    f"validatingwebhookconfigurations.{_ADMISSION}",
    f"mutatingwebhookconfigurations.{_ADMISSION}",
    *_BINDINGS,
    _DEFINITIONS,
)
DEPENDS: Depends = "source"


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Webhook configuration or definition → Service; policy binding → policy."""
    del kinds
    if policies := _BINDINGS.get(key.resource):
        if name := text(mapping(obj.get("spec")).get("policyName")):
            yield Edge(RELATION, key, Key(policies, "", name), "policy")
    elif key.resource == _DEFINITIONS:
        config = at(obj, "spec", "conversion", "webhook", "clientConfig")
        yield from _service(key, config, "conversion webhook", optional=False)
    else:
        for webhook in mappings(obj.get("webhooks")):
            detail = intern(f"webhook {text(webhook.get('name'))}")
            optional = webhook.get("failurePolicy") == "Ignore"
            yield from _service(key, mapping(webhook.get("clientConfig")), detail, optional=optional)


def _service(key: Key, config: Object, detail: str, *, optional: bool) -> Iterator[Edge]:
    service = mapping(config.get("service"))
    namespace, name = text(service.get("namespace")), text(service.get("name"))
    if namespace and name:
        yield Edge(RELATION, key, Key("services", namespace, name), detail, optional)
