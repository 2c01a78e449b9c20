"""The controllers of kube-controller-manager that the twin knows, one file each."""

from __future__ import annotations

from kubesteward_tools.twin.controllers.accounts import Accounts
from kubesteward_tools.twin.controllers.autoscalers import Autoscalers
from kubesteward_tools.twin.controllers.budgets import Budgets
from kubesteward_tools.twin.controllers.claims import Claims
from kubesteward_tools.twin.controllers.cronjobs import CronJobs
from kubesteward_tools.twin.controllers.daemonsets import DaemonSets
from kubesteward_tools.twin.controllers.definitions import Definitions
from kubesteward_tools.twin.controllers.deployments import Deployments
from kubesteward_tools.twin.controllers.endpoints import Endpoints
from kubesteward_tools.twin.controllers.garbage import Garbage
from kubesteward_tools.twin.controllers.job_cleanup import JobCleanup
from kubesteward_tools.twin.controllers.jobs import Jobs
from kubesteward_tools.twin.controllers.namespaces import Namespaces
from kubesteward_tools.twin.controllers.nodes import Nodes
from kubesteward_tools.twin.controllers.quotas import Quotas
from kubesteward_tools.twin.controllers.replicasets import ReplicaSets
from kubesteward_tools.twin.controllers.statefulsets import StatefulSets
from kubesteward_tools.twin.controllers.volumes import Volumes
from kubesteward_tools.twin.engine import Controller, Engine


def standard(engine: Engine, *, measured: bool = True) -> list[Controller]:
    """All of them, in an order that is part of what makes a run reproducible.

    `measured` is False in a rehearsal: nobody can know what pods will use, and schedules do not go on for ever.
    """
    return [
        Accounts(engine),
        Definitions(engine),
        Namespaces(engine),
        Garbage(engine),
        Deployments(engine),
        ReplicaSets(engine),
        StatefulSets(engine),
        DaemonSets(engine),
        Jobs(engine),
        JobCleanup(engine),
        CronJobs(engine, endless=measured),
        Autoscalers(engine, measured=measured),
        Nodes(engine),
        Budgets(engine),
        Claims(engine),
        Volumes(engine),
        Quotas(engine),
        Endpoints(engine),
    ]
