"""Every namespace gets a ServiceAccount `default` and the ConfigMap with the cluster's root certificate."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key

_CERTIFICATE = "-----BEGIN CERTIFICATE-----\n(simulated)\n-----END CERTIFICATE-----\n"


class Accounts(Base):
    component = "service-account-controller"
    hears = Hears("namespaces", "serviceaccounts")

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == "namespaces" and event.type == "ADDED":
            yield event.key.name
        elif event.type == "DELETED" and event.key.resource == "serviceaccounts" and event.key.name == "default":
            yield event.key.namespace

    def reconcile(self, key: Hashable) -> None:
        name = str(key)
        namespace = self.store.get(Key("namespaces", "", name))
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return
        if self.store.get(Key("serviceaccounts", name, "default")) is None:
            self.api.create("serviceaccounts", name, {"metadata": {"name": "default"}}, user=self.user)
        if self.store.get(Key("configmaps", name, "kube-root-ca.crt")) is None:
            data = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": _CERTIFICATE}}
            self.api.create("configmaps", name, data, user=self.user)
