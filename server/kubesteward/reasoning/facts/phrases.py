"""More of how claims are worded, tried before `patterns`: counts of pods in a state, capacities, quotas, and the words
that people use beside those of the API.
"""

from __future__ import annotations

from kubesteward.reasoning.facts.patterns import (
    ABOUT,
    AGO,
    NUMBER,
    QUANTITY,
    STATES,
    THINGS,
    UP,
    Pattern,
    pattern,
)

_DOWN = r"(?:down|unavailable|not ready|not available|unready|unhealthy|failing|broken|not up|not running)"
_ARE = r"(?:is|are|was|were|have been|has been)"
_REASONS = (
    "CrashLoopBackOff|ImagePullBackOff|ErrImagePull|OOMKilled|CreateContainerConfigError|CreateContainerError|"
    "InvalidImageName|RunContainerError|ContainerCannotRun"
)
_SOME = rf"\b{NUMBER}\s+(?:out\s+)?of\s+(?:the\s+|its\s+|all\s+|our\s+)?{NUMBER}\s+(?:[\w'/.-]+\s+){{0,3}}?{THINGS}"
_NOT_VERSIONS_OF = r"(?<!kubernetes )(?<!go )(?<!java )(?<!node )(?<!kernel )(?<!kubelet )(?<!api )(?<!helm )"

PHRASES: tuple[Pattern, ...] = (
    pattern(
        "state count",
        rf"{_SOME}\s+{_ARE}\s+(?:\w+ly\s+|still\s+|now\s+|in\s+|stuck in\s+)*({'|'.join(STATES[:-1])})\b",
    ),
    pattern("unready of", rf"{_SOME}\s+{_ARE}\s+(?:\w+ly\s+|still\s+|now\s+)*{_DOWN}\b"),
    pattern("ready", rf"{_SOME}\s+{_ARE}\s+(?:\w+ly\s+|still\s+|now\s+)*()(?:{UP})\b"),
    pattern(
        "ready",
        rf"\b{NUMBER}\s+(?:out\s+)?of\s+(?:the\s+|its\s+)?{NUMBER}\s+()(?:[\w'/.-]+\s+)?{THINGS}\s+(?:{UP})\b",
    ),
    pattern("ready", r"\breplicas?[^.;|]{0,60}?\((\d+)/(\d+)()(?:\s+\w+)?\)"),
    pattern(
        "ready",
        r"\b(?:lost|capacity|degraded|pods?|ready|available|healthy|fine|serving|up|down|well)"
        r"\b[^.;,|(]{0,30}\((\d+)/(\d+)()(?:\s+\w+)?\)",
    ),
    pattern("unready", rf"\b{NUMBER}\s+of\s+(?:them|these|those)\s+(?:is|are)\s+(?:currently\s+)?{_DOWN}\b"),
    pattern("unready of", rf"\b(\d+)/(\d+)\s+of\s+(?:its|the|all)\s+{THINGS}\s+{_ARE}\s+{_DOWN}\b"),
    pattern(
        "unready",
        rf"(?<![/.])\b{NUMBER}\s+(?:[\w'/.-]+\s+){{0,2}}?{THINGS}\s+(?:is|are)\s+(?:currently\s+)?{_DOWN}\b",
    ),
    pattern(
        "existing",
        rf"\b{NUMBER}\s+(?:out\s+)?of\s+(?:the\s+|"
        rf"its\s+)?{NUMBER}\s+(?:[\w'/.-]+\s+){{0,2}}?{THINGS}\s+(?:exist|were created|are there|"
        r"could be created)\b",
    ),
    pattern(
        "quota pods",
        r"\bquota\b[\w\s'/.-]{0,40}?\b(?:allows|permits|caps|limits|of|is|to|at)\s+(?:only\s+|up to\s+|"
        r"at most\s+)*(\d+)\s+pods\b(?!\s+(?:are|is|used|in))",
    ),
    pattern(
        "down",
        r"\b(?:is|are)\s+(?:both\s+|all\s+|each\s+|currently\s+|also\s+)*(down|offline|unavailable|dead|"
        r"unreachable)\b",
    ),
    pattern(
        "up",
        r"\b(?:is|are)\s+(?:both\s+|all\s+|each\s+|currently\s+|also\s+|not\s+affected\s+and\s+)*(up|healthy|"
        r"fine)\b",
    ),
    pattern("created", rf"\b(?:scheduled|spawned|launched)\s+{ABOUT}{AGO}\s+ago\b"),
    pattern("lost", rf"\b()(?:no|not a single|not one)\s+(?:\w+\s+)?{THINGS}\b[^.;,]{{0,30}}?\b(?:left|remains?)\b"),
    pattern("restarts", rf"\brestarted\s+(?:[\w'/.-]+\s+){{1,2}}?{NUMBER}\s+times\b"),
    pattern("running", rf"\bstarted\s+{ABOUT}{AGO}\s+ago\b"),
    pattern("memory limit", r"\blimit\s+\((\d+(?:\.\d+)?(?-i:[KMGT])i)\)"),
    pattern("endpoints", rf"\bendpoints\b[^.;,]{{0,40}}?[:=]\s*{NUMBER}\b"),
    pattern("container", r"\bcontainer\s+is\s+(?:called|named)\s+['\"]?([a-z0-9][a-z0-9-]*)"),
    pattern(
        "quota room",
        rf"\bquota\b[^.;,]{{0,40}}?\b(?:room|space)\s+for\s+(?:only\s+|just\s+)?{NUMBER}\s+(?:more\s+)?pods?\b",
    ),
    pattern("lost", rf"\blost\s+(both|all|every|each)\b(?:\s+(?:of\s+)?(?:its|the))?(?:\s+\w+)?\s+{THINGS}"),
    pattern(
        "percent",
        r"\b(\d{1,3})\s?%\s+(?:of\s+)?(?:(?:its|the|all|normal|full|\w+)\s+)?(?:capacity|available|"
        rf"availability|ready|{THINGS}\s+(?:are\s+)?(?:{UP}))\b",
    ),
    pattern("desired", r"\breplicas?\s*[:=]\s*(\d+)\b(?!\s*[/.%]|\s+of)"),
    pattern(
        "desired",
        r"\bscaled\s+(?:it\s+|\w+\s+)?(?:down\s+|up\s+|back\s+|out\s+|"
        rf"in\s+)*(?:from\s+\w+\s+)?to\s+{NUMBER}\b(?!\s*(?:%|m\b|Mi|Gi))",
    ),
    pattern(
        "state",
        r"\b(not\s+|never\s+|n't\s+)?(?:been\s+)?(?:killed|terminated|reaped|ended|stopped|hit|struck)"
        r"\s+by\s+(?:the\s+)?(?:\w+(?:'s)?\s+)?(OOM)[ -]?killer\b",
    ),
    pattern(
        "state",
        r"\b(not\s+|never\s+)?(?:been\s+)?(?:killed|terminated|reaped)\s+(?:because|as|after|when|for)"
        r"\b[^.;,]{0,30}?\b(?:out of|too much|exceed\w*)\s+(?:\w+\s+){0,3}?(memory)\b",
    ),
    pattern("state", r"\bimage\b[^.;]{0,30}?\b(?:cannot|can't|could not|couldn't)\s+be\s+(pull)ed\b()"),
    pattern("state", r"\bimage\s+(pull)\s+(?:fails|failed|is failing|error)\b()"),
    pattern("state", r"\breason\W{0,4}(?:is|was)?\W{1,4}()(Error|Completed)\b"),
    pattern("pods on", r"\b(?:on|of|from)\s+()(?:the\s+)?(?:same|one|single)\s+(?:single\s+)?node\b"),
    pattern("pods on", rf"\b(?:across|over|on)\s+{NUMBER}\s+(?:different|separate|distinct)\s+nodes\b"),
    pattern(
        "quota used",
        r"\b(\d+)\s*(?:of|/|out of)\s*(\d+)\s+(?:allowed\s+)?pods\s+(?:\w+\s+){0,2}?(?:used|in use|taken|"
        r"allocated|consumed)\b",
    ),
    pattern(
        "quota full",
        r"\bquota\b[\w\s'/.-]{0,60}?\b(?:is|was|has been)\s+(not\s+)?(?:fully\s+|completely\s+|"
        r"already\s+)*(?:exhausted|full|used up|exceeded|maxed out)\b",
    ),
    pattern(
        "disruptions",
        rf"\ballow(?:s|ed|ing)?\s+(?:only\s+|up to\s+|for\s+)?{NUMBER}\s+(?:more\s+|further\s+|"
        r"voluntary\s+)*disruptions?\b",
    ),
    pattern("disruptions", rf"\bdisruptions?\s*allowed\s*(?:is|are|[:=])?\s*{NUMBER}\b"),
    pattern(
        "size",
        rf"\b(?:has|have|with|and|offers)\s+{NUMBER}\s+(?:v?CPUs?|cores)\b(?!\s+(?:limit|request|free|left|"
        r"available|in use|used))",
    ),
    pattern(
        "size",
        r"\b(?:has|have|with|and|offers)\s+(\d+(?:\.\d+)?(?-i:[KMGT])i?B?)\s+(?:of\s+)?(?:memory|RAM)"
        r"\b(?!\s+(?:limit|request|free|left|available|in use|used))",
    ),
    pattern(
        "probe fails",
        r"\b(liveness|readiness|startup)[- ]?probes?\b[^.;,]{0,60}?\b(?:fails?|failed|failing|times out|"
        r"timed out|timing out)\b",
    ),
    pattern(
        "throttled",
        r"\b(?:CPU[- ]?throttl\w+|throttl\w+\s+(?:of|on|by)\s+(?:the\s+)?CPU|CPU\s+(?:is|was|usage is|being)"
        r"\s+(?:\w+ly\s+)?throttled)()\b",
    ),
    pattern(
        "any",
        r"\b[Tt]he\s+(?:\w+\s+)?(HPA|HorizontalPodAutoscaler|autoscaler|PVC|PersistentVolumeClaim|Ingress|"
        r"NetworkPolicy|StatefulSet|DaemonSet|CronJob)\s+(?:is|was|has|does|blocks?|denies|denied|scaled|"
        r"scales|routes?|points|cannot|can't|failed|fails|prevents?|drops?|keeps)\b",
    ),
    pattern(
        "last changed",
        r"\b(?:latest|last|most recent|newest)\s+(?:\w+\s+)?(?:roll-?out|deployment|deploy|change|release|"
        rf"update|version)\b[^.;]{{0,40}}?\b{AGO}\s+ago\b",
    ),
    pattern(
        "last changed",
        r"\b(?:latest|last|most recent|newest)\s+(?:\w+\s+)?(?:roll-?out|deployment|deploy|change|release|"
        r"update|version)\b[^.;]{0,40}?\b(yesterday|last week|last month)\b",
    ),
    pattern(
        "changed",
        r"\b(?:roll-?out|deployment|deploy|release|update|upgrade|change)"
        r"\b(?:\s+[\w'/.-]+){0,4}?\s+(?:took place|was made|was performed|was applied|landed|went out|was done|"
        rf"occurred|was triggered|was rolled out)\s+{ABOUT}{AGO}\s+ago\b",
    ),
    pattern(
        "changed",
        r"\b(?:changed|updated|rolled\s+out|(?<!to be )deployed|modified|released|upgraded|edited|redeployed)"
        rf"\s+(?!in\b)(?:[\w':/.-]+\s+){{0,5}}?{ABOUT}{AGO}\s+ago\b",
    ),
    pattern(
        "changed",
        r"\b(?:changed|updated|rolled\s+out|deployed|modified|released|upgraded|edited)"
        r"\b[^.;,]{0,30}?\b(yesterday|last week|last month)\b",
    ),
    pattern(
        "downed",
        r"\b(?:went\s+(?:down|offline|dark|NotReady)|became\s+(?:NotReady|unreachable)|"
        rf"stopped\s+(?:responding|posting[\w\s]{{0,20}}?))\s+{ABOUT}{AGO}\s+ago\b",
    ),
    pattern(
        "lasting",
        rf"\b(?:has|have)\s+(?:\w+\s+)?been\b[^.;,]{{0,60}}?\bfor\s+(?:the\s+(?:last|past)\s+)?{ABOUT}{AGO}\b",
    ),
    pattern("lasting", rf"\bup\s+(?:and\s+running\s+)?(?:for|since)\s+{ABOUT}{AGO}\b"),
    pattern("version", r"\bimages?\s+(?:tag\s+|version\s+)?(v?\d+(?:\.\d+)+[\w-]*|v\d+)\b"),
    pattern("version", rf"{_NOT_VERSIONS_OF}\b(?:version|release|tag)\s+(v?\d+(?:\.\d+)+[\w-]*)\b(?!\.\w)"),
    pattern(
        "version",
        r"\b(?:rolled\s+out|deployed|upgraded|updated|released)\s+(?:to\s+|from\s+|with\s+)?(?:version\s+|"
        r"release\s+|image\s+)?(v?\d+\.\d+(?:\.\d+)*[\w-]*)\b(?!\s*(?:%|[smhd]\b|min|hour|day))",
    ),
    pattern("version", r"(?<=[a-z0-9])\s+(v?\d+\.\d+\.\d+(?:-[\w.]+)?)\b"),
    pattern("image", r"\bimage\s*[:=]\s*['\"]?((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w][\w.-]*\w)"),
    pattern("node", r"\bnode\s*[:=]\s*([a-z][a-z.]*[0-9-][a-z0-9.-]*[a-z0-9]|[a-z]+\d+)\b"),
    pattern("restarts", r"\brestarts?\s*(?:count)?\s*[:=]\s*(\d+)\b"),
    pattern(
        "restarts",
        rf"\b(?:no|without(?: any)?|{NUMBER}(?: container)?)\s+restarts?\b"
        r"(?!\s+(?:polic|would|will|every|per|each|an?\b))",
    ),
    pattern(
        "memory limit",
        r"\blimit\s+is\s+(?:currently\s+)?(?:set|configured)\s+(?:to|at)\s+(\d+(?:\.\d+)?(?-i:[KMGT])i)\b",
    ),
    pattern("memory limit", rf"\ballowed\s+(?:only\s+|just\s+|to use\s+|up to\s+)*{QUANTITY}\s+of\s+memory\b"),
    pattern("memory limit", rf"\bmemory\s+limits?\s*[:=]\s*{QUANTITY}"),
    pattern("memory limit", rf"\b{QUANTITY}\s+memory\s+limit\b"),
    pattern(
        "memory limit",
        r"\bmemory\s+limits?\b[^.;,]{0,40}?\b(?:lowered|cut|reduced|decreased|dropped|raised|increased)"
        rf"\b[^.;,]{{0,30}}?\bto\s+{QUANTITY}",
    ),
    pattern("memory request", rf"\bmemory\s+requests?\s*[:=]\s*{QUANTITY}"),
    pattern(
        "memory request",
        r"\brequests?\s+(?:only\s+|just\s+)?(\d+(?:\.\d+)?(?-i:[KMGT])i?B?)\b(?:\s+of\s+memory)?",
    ),
    pattern("revision", r"\brevision\s*[:=]\s*(\d+)\b"),
    pattern(
        "selected",
        rf"\b(?:selects|matches|targets|points (?:at|to)|routes to|selecting|matching)\s+(?:only\s+)?{NUMBER}"
        r"\s+(?:ready\s+|running\s+)?pods?\b",
    ),
    pattern("endpoints", rf"\b{NUMBER}\s+(?:ready\s+|healthy\s+|active\s+)?endpoints?\b"),
)
"""Each is tried on a sentence as it stands and on one without its emphasis."""

BARE: tuple[Pattern, ...] = (
    pattern("state", r"\bexceed(?:s|ed|ing)?\s+(?:its|the|their)\s+(?:container's\s+)?(memory) limit()\b"),
    pattern(
        "state",
        r"\b(?:hits?|hitting|reache[sd]|breache?[sd]|blew(?: through)?|overr[ua]ns?|outgrew)\s+(?:its|the|"
        r"their)\s+(memory) limit()\b",
    ),
    pattern("state", r"\b(OOM)[- ]?kill(?:s|ed|ing)?\b()"),
    pattern("state", r"\bout-of-(memory)\b(?!\s+(?:condition|risk|guard|protection|threshold|score))()"),
    pattern("state", r"\b(memory) limit\s+(?:is|was|being|gets|has been)\s+(?:exceeded|hit|breached)\b()"),
    pattern("state", r"\bkilled\b[^.;,]{0,12}\b(OOM)\b()"),
    pattern("state", r"\brun(?:s|ning)? (out of memory)\b()"),
    pattern("state", r"\b(memory) exhaustion\b()"),
    pattern("state", r"\b(kernel)\s+(?:has\s+|had\s+|to\s+){0,2}(?:kill(?:s|ed)?|reap(?:s|ed)?|terminate[sd])\b()"),
    pattern(
        "state",
        r"\b(?:kill\w*|terminat\w+|died|dies|dying|ended|stopped|reaped)\b[^.;,]{0,40}?\b(?:out of|too much|lack of|"
        r"exceed\w*|exhaust\w+|want of|short of)\b[^.;,]{0,20}?\b(memory)\b()",
    ),
    pattern("state", r"\b(crash[- ]?loop)(?:s|ing|ed)?\b(?!\s*Back)()"),
    pattern("state", r"\bstopped\s+(?:posting|reporting)\s+(?:its\s+)?(?:node\s+)?(status)\b()"),
    pattern("state", rf"\b()({_REASONS})\b"),
)
"""States that a clause tells by their mere name. Tried last, and only where nothing in the clause denies them."""
