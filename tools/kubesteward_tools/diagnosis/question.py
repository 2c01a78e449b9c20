"""What somebody asks: which objects the words name, what kind of trouble they speak of, and whether of any."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kubesteward_tools.diagnosis.candidate import Category
from kubesteward_tools.world.store import Key, Store

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_KINDS = {
    "namespace": ("namespaces",),
    "ns": ("namespaces",),
    "deployment": ("deployments.apps",),
    "deploy": ("deployments.apps",),
    "statefulset": ("statefulsets.apps",),
    "daemonset": ("daemonsets.apps",),
    "job": ("jobs.batch", "cronjobs.batch"),
    "cronjob": ("cronjobs.batch", "jobs.batch"),
    "pod": ("pods",),
    "service": ("services",),
    "svc": ("services",),
    "ingress": ("ingresses.networking.k8s.io",),
    "node": ("nodes",),
    "pvc": ("persistentvolumeclaims",),
    "claim": ("persistentvolumeclaims",),
    "hpa": ("horizontalpodautoscalers.autoscaling",),
    "pdb": ("poddisruptionbudgets.policy",),
    "serviceaccount": ("serviceaccounts",),
    "account": ("serviceaccounts",),
    "configmap": ("configmaps",),
    "secret": ("secrets",),
    "volume": ("persistentvolumes", "persistentvolumeclaims"),
}
_SEARCHED = (
    *dict.fromkeys(resource for group in _KINDS.values() for resource in group if resource != "namespaces"),
    "networkpolicies.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "resourcequotas",
    "limitranges",
    "storageclasses.storage.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
)
_APPLICATIONS = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "pods",
    "services",
)
_COMMON = frozenset(
    [
        "a",
        "all",
        "an",
        "and",
        "any",
        "app",
        "application",
        "are",
        "at",
        "be",
        "broken",
        "can",
        "cluster",
        "container",
        "controller",
        "default",
        "do",
        "does",
        "error",
        "errors",
        "find",
        "fix",
        "for",
        "from",
        "get",
        "has",
        "have",
        "http",
        "in",
        "is",
        "it",
        "its",
        "kubernetes",
        "list",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "pods",
        "please",
        "root",
        "cause",
        "running",
        "server",
        "service",
        "should",
        "so",
        "start",
        "state",
        "test",
        "that",
        "the",
        "there",
        "this",
        "to",
        "up",
        "user",
        "users",
        "via",
        "what",
        "when",
        "which",
        "why",
        "with",
        "work",
        "wrong",
        "you",
        "pull",
        "image",
    ]
)
"""Words of a question that count as a name only beside a kind or in quotes."""

_TOPICS: tuple[tuple[str, tuple[Category, ...]], ...] = (
    (r"\bdrain|\bevict|disruption|\bpdb\b|\bupgrad", ("PDB",)),
    (r"autoscal|\bhpa\b|\bscal(?:e|es|ing)\b(?! down| to zero| to 0)", ("HPA",)),
    (
        r"\bscaled? (?:down )?to (?:0|zero)|no replicas|zero replicas|no pods|0 (?:pods|replicas)",
        ("ScaledToZero", "Quota"),
    ),
    (r"\bdns\b|resolv|hostname|name or service|nslookup|no such host", ("DNS",)),
    (
        r"forbidden|\b403\b|permission|unauthori|rbac|service ?account|access denied|not allowed to|can(?:'t|not) "
        r"(?:list|get|watch|create|delete|patch|update|read|view|see)\b",
        ("RBAC",),
    ),
    (
        r"from outside|outside (?:of )?the|external(?:ly)?\b|\bingress|\burl\b|\b404\b|\bhost(?:s)?\b [\w.-]+\.[a-z]+",
        ("Ingress",),
    ),
    (
        r"time[ds]? ?-?out|connect|reach|respond|access|communicat|refused|traffic|unavailable",
        ("ServiceRouting", "NetworkPolicy", "Ingress", "DNS", "ScaledToZero"),
    ),
    (r"network ?polic|blocked|firewall", ("NetworkPolicy",)),
    (r"endpoint|selector|service\b.*\b(?:work|route|routing|accessible)|not accessible", ("ServiceRouting",)),
    (r"throttl|\bslow|latenc|performance|response time|cpu limit", ("CPUThrottling",)),
    (r"\bpending\b|schedul|unschedulable", ("Pending", "PVC", "NodePressure")),
    (r"\bquota|limit ?range", ("Quota",)),
    (r"\bpvc\b|volume|storage|\bclaim\b|mount", ("PVC",)),
    (r"\boom|out of memory|memory", ("OOMKilled", "NodePressure")),
    (r"node .*(?:pressure|capacity)|disk|too ?many ?pods|pod capacity", ("NodePressure",)),
    (r"not ?ready|node .*down|kubelet", ("NodeNotReady", "NodePressure", "ProbeFailure")),
    (r"webhook|admission", ("AdmissionWebhook", "PodSecurity")),
    (r"pod ?security|privileged|security context|psa\b|violat", ("PodSecurity",)),
    (r"\bcron|schedule[ds]? (?:job|run)|\bjob\b", ("JobFailure",)),
    (r"probe|health ?check|liveness|readiness", ("ProbeFailure",)),
    (r"wrong (?:program|binary|command)|command", ("WrongCommand",)),
    (r"\binit", ("InitStuck",)),
    (r"image|pull", ("ImagePull",)),
    (r"crash|\brestart", ("OOMKilled", "ProbeFailure", "CrashLoop", "WrongCommand")),
)
_TROUBLE = re.compile(
    r"fail|error|crash|restart|problem with|issue with|not (?:start|work|run|respond|become|reach|"
    r"accessible|ready|scal)|"
    r"isn't|can't|cannot|doesn't|don't|won't|unable|stuck|hang|broken|fix|alert|wrong with my|timeout|time out|slow|"
    r"refused|why|root cause|down\b|unavailable|outage|degraded|pending|(?:what|something|anything)(?:'s| is)? wrong|"
    r"\b50[0-4]\b|\b40[34]\b|times? out|\bnot\b|n't\b|\bno\b|\bnever\b|nobody|nothing|\blost\b|reset|intermittent|"
    r"\bblock|den(?:y|ied)|reject|forbidden|unhealthy|evict|complain|urgent|missing|dies\b|dying|killed|throttl|latency|"
    r"violat|hung\b|keeps|unreachable|unknown|incident",
    re.I,
)
_OPEN = re.compile(r"\s*(?:is|are|has|have|does|do|how|check|any|show)\b(?!.*\b(?:but|however|why)\b)", re.I)
"""How somebody begins who wants to know whether, and not why."""


@dataclass(frozen=True)
class Question:
    """`named` are the objects that are meant for sure, `hinted` those that may be; `hosts` are addresses in it."""

    text: str = ""
    named: frozenset[Key] = frozenset()
    hinted: frozenset[Key] = frozenset()
    namespaces: frozenset[str] = frozenset()
    topics: tuple[Category, ...] = ()
    hosts: tuple[str, ...] = ()
    words: frozenset[str] = field(default_factory=frozenset)

    @property
    def complains(self) -> bool:
        """Whether it takes for granted that something is wrong."""
        return _TROUBLE.search(self.text) is not None and _OPEN.match(self.text) is None

    def speaks_of(self, category: Category) -> bool:
        return category in self.topics

    def about(self, *keys: Key, namespaces: Iterable[str] = ()) -> Question:
        """The same with these objects and namespaces named."""
        return replace(self, named=self.named | set(keys), namespaces=self.namespaces | set(namespaces))


_LONGEST = 4000


def understand(text: str, store: Store) -> Question:
    """The question that the words ask of what is in `store`; of a long text its beginning."""
    text = text[:_LONGEST]
    words = [match[0] for match in _WORD.finditer(text)]
    topics = dict.fromkeys(item for pattern, found in _TOPICS if re.search(pattern, text, re.I) for item in found)
    namespaces = {
        word for word in words if store.facts(Key("namespaces", "", word)) and _is_namespace(word, text, store)
    }
    spaces, spoken = _application(text, store)
    namespaces |= spaces
    named, hinted = set[Key](), set[Key]()
    for word in dict.fromkeys(word for word in words if word.lower() not in spoken):
        sure, maybe = _meant(word, text, store, namespaces)
        named |= sure
        hinted |= maybe
    hosts = tuple(name for word in words if re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}", name := word.partition("/")[0]))
    if not named and not hinted:
        hinted = _near(words, store, namespaces)
        namespaces |= _spaces_like(words, store) if not hinted else set()
    return Question(
        text, frozenset(named), frozenset(hinted), frozenset(namespaces), tuple(topics), hosts,
        frozenset(word.lower() for word in words),
    )  # fmt: skip


_APPLICATION = re.compile(
    r"((?:[\w-]+ ){1,4}?)(?:application|app|system|platform|stack|shop|store|site|website)\b", re.I
)


def _application(text: str, store: Store) -> tuple[set[str], set[str]]:
    """The namespace of an application that is called by several words of its name, and those words, in small letters.

    "The hotel reservation application" is all that is in `hotel-reservation`, not the Deployment `reservation`.
    """
    for match in _APPLICATION.finditer(text):
        words = match[1].lower().split()
        for size in range(len(words), 1, -1):
            name = "-".join(words[-size:])
            if store.facts(Key("namespaces", "", name)):
                return {name}, set(words[-size:])
    return set(), set()


def _is_namespace(word: str, text: str, store: Store) -> bool:
    """Beside the word namespace, or a name that nothing else has."""
    spelt = re.escape(word)
    if re.search(rf"namespaces?[\s'\"`:]+{spelt}\b|\b{spelt}['\"`]?\s+namespace|-n {spelt}\b", text, re.I):
        return True
    if word in {"default"} or re.search(rf"\b{spelt}/", text):
        return bool(re.search(rf"\b{spelt}/", text))
    return not any(store.spaces_with(resource, word) for resource in _APPLICATIONS)


def _kinds_beside(word: str, text: str) -> tuple[str, ...]:
    """The resources of a kind that stands before or behind the word."""
    spelt, quote = re.escape(word), r"['\"`]?"
    found: tuple[str, ...] = ()
    for kind, resources in _KINDS.items():
        before = rf"\b{kind}s?(?:\s+(?:named|called))?[\s:/]+{quote}{spelt}(?![\w-])"
        behind = rf"(?<![\w-]){spelt}{quote}\s+{kind}s?\b"
        if re.search(f"{before}|{behind}", text, re.I):
            found += resources
    return found


def _meant(word: str, text: str, store: Store, namespaces: set[str]) -> tuple[set[Key], set[Key]]:
    space, slash, name = word.rpartition("/")
    name = (name if slash else word).rstrip(".-")
    kinds = _kinds_beside(word, text)
    found = {
        Key(resource, place, name)
        for resource in _SEARCHED
        for place in store.spaces_with(resource, name)
        if not (namespaces and place and place not in namespaces) or place == space
    }
    found = found or _replaced(name, store)
    sure = {key for key in found if key.resource in kinds}
    quoted = re.search(rf"['\"`]{re.escape(word)}['\"`]", text) is not None
    if sure:
        return sure, found - sure
    if name.lower() in _COMMON and not quoted:
        return set(), set()
    return ({key for key in found if key.resource in _APPLICATIONS or len(found) == 1}, found)


def _replaced(name: str, store: Store) -> set[Key]:
    """The workload of a pod that has been replaced since: its name begins with the workload's."""
    parts = name.split("-")
    for end in (1, 2) if len(parts) > 2 and any(mark.isdigit() for mark in parts[-1] + parts[-2]) else ():
        above = "-".join(parts[:-end])
        found = {
            Key(resource, space, above)
            for resource in _APPLICATIONS[:5]
            for space in store.spaces_with(resource, above)
        }
        if found:
            return found
    return set()


def _near(words: Iterable[str], store: Store, namespaces: set[str]) -> set[Key]:
    """Workloads and Services with a word of the question as a part of their name."""
    wanted = {word.lower() for word in words if len(word) > 2 and word.lower() not in _COMMON}
    found = set[Key]()
    for resource in (*_APPLICATIONS[:-2], "services"):
        for key in store.keys(resource):
            if namespaces and key.namespace not in namespaces:
                continue
            parts = set(re.split(r"[-.]", key.name.lower()))
            if wanted & parts or key.name.lower().replace("-", "") in wanted:
                found.add(key)
    return found


def _spaces_like(words: Iterable[str], store: Store) -> set[str]:
    wanted = {word.lower() for word in words if len(word) > 3 and word.lower() not in _COMMON}
    spaces = [key.name for key in store.keys("namespaces") if not key.name.startswith("kube-")]
    return {name for name in spaces if any(word in name or name in word for word in wanted)}
