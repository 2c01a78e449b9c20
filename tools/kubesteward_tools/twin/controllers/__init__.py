"""The controllers of kube-controller-manager that the twin knows, one file each."""

from __future__ import annotations

from kubesteward_tools.twin.controllers.accounts import Accounts
from kubesteward_tools.twin.controllers.budgets import Budgets
from kubesteward_tools.twin.controllers.claims import Claims
from kubesteward_tools.twin.controllers.definitions import Definitions
from kubesteward_tools.twin.controllers.deployments import Deployments
from kubesteward_tools.twin.controllers.endpoints import Endpoints
from kubesteward_tools.twin.controllers.garbage import Garbage
from kubesteward_tools.twin.controllers.namespaces import Namespaces
from kubesteward_tools.twin.controllers.nodes import Nodes
from kubesteward_tools.twin.controllers.quotas import Quotas
from kubesteward_tools.twin.controllers.replicasets import ReplicaSets
from kubesteward_tools.twin.engine import Controller, Engine


def standard(engine: Engine) -> list[Controller]:
    """All of them, in an order that is part of what makes a run reproducible."""
    return [
        Accounts(engine),
        Definitions(engine),
        Namespaces(engine),
        Garbage(engine),
        Deployments(engine),
        ReplicaSets(engine),
        Nodes(engine),
        Budgets(engine),
        Claims(engine),
        Quotas(engine),
        Endpoints(engine),
    ]
