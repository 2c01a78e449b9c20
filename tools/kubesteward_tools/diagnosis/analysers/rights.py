"""Service accounts without a right that is needed: no rule, no binding, one to somebody else, no account at all."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.diagnosis import granting
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import listed, mapping, mappings, named, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.twin.rbac import can
from kubesteward_tools.world.store import Key, Object

_GROUP = "rbac.authorization.k8s.io"
_DENIED = re.compile(
    r'User "system:serviceaccount:(?P<space>[\w.-]+):(?P<name>[\w.-]+)" cannot (?P<verb>\w+) resource '
    r'"(?P<resource>[\w./-]+)" '
    r'in API group "(?P<group>[\w.-]*)"(?: in the namespace "(?P<where>[\w.-]+)")?'
)
_ASKED = re.compile(
    r"\b(list|get|watch|create|delete|update|patch|read|view|see|deploy|access)\w*\s+"
    r"(?:(?:the|any|all|my|our|resources?|in|to) |['\"`])*(\w+)",
    re.I,
)
_VERBS = {"read": "get", "view": "list", "see": "list", "deploy": "create", "access": "get"}


def analyse(scene: Scene) -> Iterator[Candidate]:
    told = set[Key]()
    for workload, line, said in _refused(scene):
        if (match := _DENIED.search(said)) and (need := _needed(match)).account not in told:
            told.add(need.account)
            yield _lacks(scene, need, workload, line, 0.95)
    yield from _asked(scene, told)
    yield from _bindings(scene)
    yield from _accounts(scene)
    yield from _no_token(scene)


def _refused(scene: Scene) -> Iterator[tuple[Key, str, str]]:
    """Workload, the evidence, and what the API server said: in logs, in events, or as somebody quotes it."""
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            if sign.kind == "forbidden":
                yield workload, f"log of {workload.name}/{container}: {sign.line}", sign.line
    for workload, items in scene.warned_workloads.items():
        for item in items:
            if item.reason != "FailedCreate":
                yield workload, item.message, item.message
    if match := _DENIED.search(scene.question.text):
        account = Key("serviceaccounts", match["space"], match["name"])
        yield account, match[0], match[0]


def _asked(scene: Scene, told: set[Key]) -> Iterator[Candidate]:
    """What somebody says that an account cannot do, checked."""
    known = scene.question.named | scene.question.hinted
    about = scene.question.speaks_of("RBAC")
    accounts = _meant(scene) if about or any(_is_of_rbac(key) for key in known) else set()
    for word, what in _ASKED.findall(scene.question.text) if accounts else ():
        verb = _VERBS.get(word.lower(), word.lower())
        resource = _KNOWN.get(what.lower() if what.lower().endswith("s") else f"{what.lower()}s", "")
        for account in sorted(accounts - told) if resource else ():
            where = _refusing(scene, account, verb, resource)
            if where is not None:
                told.add(account)
                yield _lacks(scene, _Need(account, verb, resource, where), account, "", 0.85)
    for account in sorted(accounts - told) if about else ():
        seen = scene.exists(account) and scene.sees(f"rolebindings.{_GROUP}", account.namespace)
        if seen and account.name != "default":
            yield from _unbound(scene, account)


def _is_of_rbac(key: Key) -> bool:
    return key.resource == "serviceaccounts" or key.resource.endswith(_GROUP)


def _refusing(scene: Scene, account: Key, verb: str, resource: str) -> str | None:
    """The namespace that is asked about, or else the account's own, where it may not do this; None if it may."""
    user = f"system:serviceaccount:{account.namespace}:{account.name}"
    places = sorted(scene.question.namespaces) or [account.namespace]
    return next((place for place in places if not can(scene.store, user, verb, resource, place)), None)


def _meant(scene: Scene) -> set[Key]:
    """The accounts that the question is about: those it names, those of workloads and bindings that it names."""
    accounts = {key for key in scene.question.named | scene.question.hinted if key.resource == "serviceaccounts"}
    for key in scene.question.named | scene.question.hinted:
        if key.resource in {"pods", "deployments.apps", "statefulsets.apps", "jobs.batch", "cronjobs.batch"}:
            accounts.add(_account_of(scene, key))
        if key.resource.endswith(_GROUP):
            accounts |= set(_subjects(scene, key))
    return accounts or {
        key
        for key in scene.store.keys("serviceaccounts")
        if key.namespace in scene.question.namespaces and key.name != "default"
    }


def _unbound(scene: Scene, account: Key) -> Iterator[Candidate]:
    """Of an account that somebody misses rights of: no binding at all names it."""
    bindings = [*_every_binding(scene), *scene.store.keys(f"clusterrolebindings.{_GROUP}")]
    if any(account in set(_subjects(scene, key)) for key in bindings):
        return
    near = _near_binding(scene, account, account.namespace)
    why = f"; {named(near)} binds another subject" if near else ""
    sentence = (
        f"no RoleBinding or ClusterRoleBinding binds the ServiceAccount {account.namespace}/{account.name} to a role "
        f"(missing role binding, RBAC){why}: it has no permission, and the API server answers it 403 forbidden."
    )
    fix = f"Bind it to a role with the rules that it needs: ServiceAccount {account.namespace}/{account.name}."
    yield Candidate("RBAC", near or account, sentence, 0.62, (), fix=fix, suffers=(account,))


_KNOWN = {
    **{
        name: name
        for name in [
            "pods",
            "services",
            "configmaps",
            "secrets",
            "nodes",
            "namespaces",
            "events",
            "endpoints",
            "persistentvolumeclaims",
            "serviceaccounts",
        ]
    },
    "deployments": "deployments.apps",
    "replicasets": "replicasets.apps",
    "statefulsets": "statefulsets.apps",
    "daemonsets": "daemonsets.apps",
    "jobs": "jobs.batch",
    "cronjobs": "cronjobs.batch",
    "ingresses": "ingresses.networking.k8s.io",
    "logs": "pods/log",
}


def _account_of(scene: Scene, workload: Key) -> Key:
    return Key("serviceaccounts", workload.namespace, text(scene.spec(workload).get("serviceAccountName")) or "default")


def _subjects(scene: Scene, binding: Key) -> Iterator[Key]:
    for subject in mappings(scene.get(binding).get("subjects")):
        if subject.get("kind") == "ServiceAccount":
            yield Key("serviceaccounts", text(subject.get("namespace")) or binding.namespace, text(subject.get("name")))


class _Need(NamedTuple):
    """What an account may not do; `where` is a namespace, "" for the whole cluster."""

    account: Key
    verb: str
    resource: str
    where: str


def _needed(match: re.Match[str]) -> _Need:
    resource = f"{match['resource']}.{match['group']}" if match["group"] else match["resource"]
    account = Key("serviceaccounts", match["space"], match["name"])
    return _Need(account, match["verb"], resource, match["where"] or "")


def _lacks(scene: Scene, need: _Need, workload: Key, line: str, sure: float) -> Candidate:
    account, verb, resource, where = need
    culprit, why, fix = _root(scene, account, verb, resource, where)
    plural = resource.partition(".")[0]
    unbound = culprit is None and scene.sees(f"rolebindings.{_GROUP}", where)
    role = granting.enough(scene, verb, resource, where) if unbound else None
    scope = f"in namespace {where}" if where else "in the whole cluster (cluster scope)"
    runs = f", which {named(workload)} runs as," if workload != account else ""
    sentence = (
        f"the ServiceAccount {account.namespace}/{account.name}{runs} lacks a permission (RBAC, forbidden): "
        f"it cannot {verb} "
        f"{plural} {scope}: {why}{granting.hint(role)}."
    )
    return Candidate(
        "RBAC",
        culprit or account,
        sentence,
        sure,
        (line,) if line else (),
        fix=f"Bind {named(role)} to the service account." if role else fix,
        proposal=granting.proposal(account, verb, resource, where, role) if unbound else None,
        suffers=(workload, account),
    )


def _root(scene: Scene, account: Key, verb: str, resource: str, where: str) -> tuple[Key | None, str, str]:
    """Which object is wrong: the role, the binding, or that there is none."""
    plural, _, group = resource.partition(".")
    need = f"a rule with apiGroups {[group]}, resources {[plural]}, verbs {[verb]}"
    bound = [key for key in _all_bindings(scene, where) if account in set(_subjects(scene, key))]
    for binding in bound:
        if scene.missing(role := _role(scene, binding)):
            why = f"{named(binding)} refers to {named(role)}, which does not exist (not found)"
            return binding, why, f"Create {named(role)} or correct roleRef."
    if bound:
        role = _role(scene, bound[0])
        rules = _rules(scene.get(role))
        why = f"{named(role)}, bound by {named(bound[0])}, grants only {rules}, and not {verb} on {plural}"
        return role, why, f"Give {named(role)} {need}."
    near = _near_binding(scene, account, where)
    if near is not None:
        subjects = listed(
            f"{one.get('kind')} {one.get('namespace', '')}/{one.get('name')}"
            for one in mappings(scene.get(near).get("subjects"))
        )
        return (
            near,
            f"{named(near)} binds {subjects} (wrong subject), not this service account",
            f"Correct the subject of {named(near)} to ServiceAccount {account.namespace}/{account.name}.",
        )
    elsewhere = [key for key in _every_binding(scene) if account in set(_subjects(scene, key))]
    if elsewhere:
        return (
            elsewhere[0],
            f"it is bound only in namespace {listed(key.namespace for key in elsewhere)} "
            f"({named(elsewhere[0])}), not {'in ' + where if where else 'cluster-wide'}",
            f"Bind it {'in ' + where if where else 'with a ClusterRoleBinding'} too.",
        )
    if not scene.sees(f"rolebindings.{_GROUP}", where):
        return None, "its role bindings may not be read here", "Let kubectl auth can-i --list tell what it may do."
    return (
        None,
        "no RoleBinding or ClusterRoleBinding binds it to a role (missing role binding)",
        f"Create a {'Role' if where else 'ClusterRole'} with {need} and bind it to the service account.",
    )


def _all_bindings(scene: Scene, where: str) -> Iterator[Key]:
    yield from scene.store.keys(f"clusterrolebindings.{_GROUP}")
    if where:
        yield from scene.store.keys(f"rolebindings.{_GROUP}", where)


def _every_binding(scene: Scene) -> Iterator[Key]:
    yield from scene.store.keys(f"rolebindings.{_GROUP}")


def _role(scene: Scene, binding: Key) -> Key:
    reference = mapping(scene.get(binding).get("roleRef"))
    name = text(reference.get("name"))
    return (
        Key(f"roles.{_GROUP}", binding.namespace, name)
        if reference.get("kind") == "Role"
        else Key(f"clusterroles.{_GROUP}", "", name)
    )


def _rules(role: Object) -> str:
    return (
        listed(
            f"{'/'.join(rule.get('verbs') or ())} on "
            f"{'/'.join(rule.get('resources') or rule.get('nonResourceURLs') or ())}"
            for rule in mappings(role.get("rules"))
        )
        or "nothing"
    )


def _near_binding(scene: Scene, account: Key, where: str) -> Key | None:
    """A binding for an account of nearly this name, or of this name in another namespace."""
    for key in _all_bindings(scene, where):
        for subject in _subjects(scene, key):
            same = subject.name == account.name and subject.namespace != account.namespace
            gone = not scene.exists(subject) and difflib.SequenceMatcher(None, subject.name, account.name).ratio() > 0.6
            if same or gone:
                return key
        for other in mappings(scene.get(key).get("subjects")):
            if other.get("kind") == "User" and other.get("name") == account.name:
                return key
    return None


def _bindings(scene: Scene) -> Iterator[Candidate]:
    """Bindings of roles or to accounts that are not there."""
    for key in [*scene.store.keys(f"rolebindings.{_GROUP}"), *scene.store.keys(f"clusterrolebindings.{_GROUP}")]:
        if key.name.startswith("system:"):
            continue
        role = _role(scene, key)
        if scene.missing(role) and scene.store.count(role.resource):
            yield _roleless(scene, key, role)
            continue
        for subject in _subjects(scene, key):
            if scene.missing(subject) and scene.store.count("serviceaccounts", subject.namespace):
                yield _nobody(scene, key, subject)


def _roleless(scene: Scene, key: Key, role: Key) -> Candidate:
    whom = listed(f"{one.get('kind')} {one.get('name')}" for one in mappings(scene.get(key).get("subjects")))
    sentence = (
        f"{named(key)} refers to {named(role)}, which does not exist (not found, missing), so "
        f"{whom or 'its subjects'} get no permission (RBAC)."
    )
    fix = f"Create {named(role)} or correct roleRef."
    return Candidate("RBAC", key, sentence, 0.55, (), fix=fix, suffers=tuple(_subjects(scene, key)))


def _nobody(scene: Scene, key: Key, subject: Key) -> Candidate:
    names = [one.name for one in scene.store.keys("serviceaccounts", subject.namespace)]
    there = difflib.get_close_matches(subject.name, names, n=1, cutoff=0.6)
    sentence = (
        f"{named(key)} binds the ServiceAccount {subject.namespace}/{subject.name}, which does not "
        f"exist (not found, missing){f'; there is {there[0]!r}' if there else ''}; so nobody gets "
        "the permission (RBAC)."
    )
    fix = "Correct the subject, or create the ServiceAccount."
    return Candidate("RBAC", key, sentence, 0.5, (), fix=fix, suffers=(subject,))


def _accounts(scene: Scene) -> Iterator[Candidate]:
    for connection in scene.dangling("serviceaccounts", "runs_as"):
        account, workload = connection.target, connection.source
        if workload.resource in {"pods", "replicasets.apps"} or not scene.store.count(
            "serviceaccounts", account.namespace
        ):
            continue
        sentence = (
            f"the ServiceAccount {account.name!r} that {named(workload)} runs as does not exist (not found, "
            f"missing) in namespace {account.namespace}, so its pods are refused (RBAC)."
        )
        ready = mapping(scene.get(workload).get("status")).get("readyReplicas")
        yield Candidate(
            "RBAC",
            workload,
            sentence,
            0.5 if ready else 0.7,
            (),
            fix=f"Create the ServiceAccount {account.name!r}, or correct serviceAccountName.",
            suffers=(account,),
        )


def _no_token(scene: Scene) -> Iterator[Candidate]:
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            if "serviceaccount/token" in sign.line:
                sentence = (
                    f"{named(workload)} has no service account token (automountServiceAccountToken is false), "
                    f"so it cannot ask the API server (RBAC): {sign.line}."
                )
                yield Candidate(
                    "RBAC",
                    workload,
                    sentence,
                    0.8,
                    (f"log of {container}: {sign.line}",),
                    fix="Set automountServiceAccountToken: true.",
                    suffers=(workload,),
                )
                break
