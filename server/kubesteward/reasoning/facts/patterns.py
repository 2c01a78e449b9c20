"""How claims are worded: a pattern for each way of saying something that can be looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

STATES = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "InvalidImageName",
    "ContainerCreating",
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "RunContainerError",
    "ContainerCannotRun",
    "PodInitializing",
    "Unschedulable",
    "OOMKilled",
    "OOM-killed",
    "OOM killed",
    "crash-looping",
    "crashlooping",
    "crash looping",
    "out of memory",
    "Terminating",
    "Completed",
    "Succeeded",
    "NotReady",
    "not ready",
    "unready",
    "Pending",
    "Evicted",
    "Running",
    "Failed",
    "ready",
)
_SPELT = (
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate(_SPELT.split())} | {
    "none": 0,
    "never": 0,
    "zero": 0,
    "once": 1,
    "twice": 2,
    "all": -1,
    "single": 1,
    "a single": 1,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "a": 1,
    "an": 1,
}
_NO_COUNT = frozenset({"a", "an"})
"""Numbers of ages only: `a pod` is not one pod."""
NUMBER = rf"(\d+|{'|'.join(sorted(NUMBERS.keys() - _NO_COUNT, key=len, reverse=True))})"
_STATE = "|".join(map(re.escape, STATES))
AGO = (
    rf"(\d+(?:\.\d+)?|(?:half an?|(?:a )?couple of|a few|several|"
    rf"{'|'.join(sorted(NUMBERS, key=len, reverse=True))})(?=\s))"
    r"\s*(s|secs?|seconds?|months?|years?|fortnights?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b"
)
ABOUT = (
    r"(?:(?:about|around|roughly|approximately|some|over|under|more than|less than|at least|almost|nearly|"
    r"only|just|barely|"
    r"merely|a mere|well|a good)\s+|~\s?){0,3}"
)
QUANTITY = r"(\d+(?:\.\d+)?(?:m|[KMGT]i?B?|)?)\b"
_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)"
THINGS = r"(?:pods?|replicas?|containers?|instances?|endpoints?|copies)"
UP = r"(?:up|in service|serving|available|running|ready|healthy|alive|well)"
_OF = r"(?:\s+of\s+[\w/' -]{1,80}?)?"


@dataclass(frozen=True)
class Pattern:
    """`kind` of claim; the groups of `words` become its value, joined by `/`."""

    kind: str
    words: re.Pattern[str]


def pattern(kind: str, words: str) -> Pattern:
    """Capitals do not count."""
    return Pattern(kind, re.compile(words, re.I))


PATTERNS: tuple[Pattern, ...] = (
    pattern(
        "nodes",
        rf"\b{NUMBER}(?: of (?:the |its |all )?{NUMBER})? nodes (?:are|is) "
        r"(not ready|notready|unready|down|ready|up)\b",
    ),
    pattern(
        "state",
        r"\b(?:is|are|was|were|been|being|keeps? being|keeps? getting|gets?|got|in|stays?|remains?|stuck in|"
        r"becomes?|"
        rf"ended(?: as)?|state:?|status:?|reason:?|terminated with reason|by being)\s+"
        rf"(not |no longer |never )?(?:in |currently |now |still |again |all |both |stuck in |repeatedly |being )*"
        rf"['\"`]?({_STATE})\b(?!\s*:)",
    ),
    pattern("state", rf"\b(not |no )?({'|'.join(STATES[:-8])})\s+(?:pods?|containers?|state|status)\b"),
    pattern("state", r"\bran (out of memory)\b()"),
    pattern("state", r"\b(OOM[- ]kill)er\s+(?:has\s+)?(?:terminated|killed|ended|hit|struck|took|got|reaped)\b()"),
    pattern("state", r"\b(?:cannot|can't|could not|couldn't|fails? to|failed to|unable to) (pull)\b()"),
    pattern("state", r"\b(?:waiting|waits?) to be (scheduled)\b()"),
    pattern("state", r"\b(?:cannot|can't|could not|not|fails? to|unable to) (?:be )?(scheduled?|placed?)\b()"),
    pattern("pressure", r"\bnode\b[^.;]{0,60}?\b(?:is|was) (cordoned|unschedulable)\b"),
    pattern("pressure", r"\bnode\b[^.;]{0,60}?\b(?:under|has|reports|with) (memory|disk|pid) ?pressure\b"),
    pattern("probe", r"\b(liveness|readiness|startup)[- ]?probe\b"),
    pattern("share", rf"\b(not a single|none of|no)\b[\w' /-]{{0,60}}?\b(?:is|are)\s+(?:still )?{UP}\b"),
    pattern("share", r"\b(?:completely|entirely|totally|fully|wholly) (down|unavailable|out|dead|offline)\b"),
    pattern("share", r"\b(?:is|are)\s+()(out of service|offline)\b"),
    pattern("share", rf"\b(?:has|have|keeps?)\s+(half|most|all)(?: of)?(?: its| the)?(?: \w+)? {THINGS}\s+({UP})\b"),
    pattern(
        "share", r"\b(?:completely|entirely|totally|fully|wholly|perfectly) (healthy|available|up|ready|fine|well)\b"
    ),
    pattern(
        "share",
        rf"(?<!than )(?<!almost )(?<!nearly )\b(half|most|every|each|all)(?: one)?(?: of)?\b(?! \w+ of \d)"
        r"(?! (?:but|existing|remaining|created|(?:the )?(?:old|older|other|existing|remaining)))"
        rf"[\w' /-]{{0,60}}?\b{THINGS}"
        r"[\w' /-]{0,40}?\b(?:is|are)\s+"
        rf"(?:still |currently |all )?(down|not ready|unready|unavailable|{UP})\b",
    ),
    pattern("unready", rf"\b(?:lost|loses|is missing|lacks) {NUMBER} of (?:its|the) (?:\w+ ){THINGS}"),
    pattern("ready", r"\b(?:dropped|fell|went|down|is|are|rose|back)(?: back| down)? (?:to|at) (\d+)/(\d+)()\b"),
    pattern(
        "ready count",
        rf"(?<!/)(?<!of )(?<!of the )(?<!of its )\b{NUMBER} (?:(?!of\b)[\w-]+ ){{0,2}}"
        r"(?:replicas?|pods?|copies|copy|instances?) (?:is|are|remains?|stays?)\s+"
        rf"(?:still |currently |left )?{UP}\b",
    ),
    pattern("desired", rf"\bscaled (?:down |up |back |out |in )*to {NUMBER}\b(?!\s*(?:%|m\b|Mi|Gi))"),
    pattern("restarts", r"\b(never)(?: been)? restarted\b"),
    pattern(
        "restarts",
        rf"\b(?:restarted|crash(?:ed|es)|died|was killed)\s+(?:just |only |about |exactly )?{NUMBER}"
        r"(?:\s+times)?\b(?!\s*(?:s|m|h|d|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?)\b)",
    ),
    pattern("restarts", rf"\brestarting\b[^.;]{{0,30}}?{NUMBER} times\b"),
    pattern("exit", r"\bexit ?code['\"]?(?:\s+(?:was|is|of|being))?[\s:=]+(\d{1,3})\b"),
    pattern("exit", r"\bSIG[A-Z]{3,6}\s*\((?:exit code )?(\d{1,3})\)"),
    pattern("exit", r"\b(?:process|container|command|program|entrypoint)\b[\w' /-]{0,60}?\breturned\s+(\d{1,3})\b"),
    pattern("exit", r"\b(?:exits?|exited|ends?|ended)\s+\w+ly\s+(?:with\s+)?(?:code\s+|status\s+)?(\d{1,3})\b"),
    pattern(
        "changed",
        rf"(?:^|\b){AGO}\s+ago,?\b[\w' /-]{{0,60}}?\b"
        r"(?:changed|updated|rolled out|deployed|redeployed|released|upgraded|edited)\b",
    ),
    pattern(
        "changed",
        rf"\b(?:deploy|redeployed|went out|went live|shipped|was deployed|was released)\s+"
        rf"{ABOUT}{AGO}\s+ago\b",
    ),
    pattern("created", rf"\b(?:came up|appeared|started to exist)\s+{ABOUT}{AGO}\s+ago\b"),
    pattern("running", rf"\b(?:existed|existing|there|lived)\s+for\s+{ABOUT}{AGO}\b"),
    pattern("memory limit", rf"\b(?:may|can) (?:only )?(?:use|take)\s+(?:up to |at most )?{QUANTITY}(?: of memory)?"),
    pattern("memory limit", r"\b(?:capped|limited) (?:at|to)\s+(\d+(?:\.\d+)?[KMGT]i?B?)\b"),
    pattern("memory limit", r"\blimit(?:\s+(?:is|of|at|was|just|only))+\s+(\d+(?:\.\d+)?[KMGT]i)\b"),
    pattern("memory limit", rf"\bmemory limits? \({QUANTITY}"),
    pattern("cpu request", r"\brequests?\s+(\d+(?:\.\d+)?m?)\s+(?:of )?CPUs?\b"),
    pattern(
        "moved",
        r"\bfrom\s+['\"`]?(v?\d+(?:\.\d+)+|\d+[KMGT]i)['\"`]?\s+(?:\w+ )?to\s+['\"`]?(v?\d+(?:\.\d+)+|\d+[KMGT]i)\b",
    ),
    pattern("version", r"\b(?:on|runs|running|at) (?:version|release|tag)\s+['\"`]?(v?\d+(?:\.\d+)+[\w-]*)"),
    pattern("version", r"\b(?:runs|running|is at|is on)\s+(v?\d+\.\d+\.\d+[\w-]*)\b(?!/)"),
    pattern(
        "version",
        r"\b(?:the )?(?:tag|version|release)\s+['\"`]?(v?\d+(?:\.\d+)+[\w-]*)['\"`]?\s+"
        r"(?:was|is|got|has been)\s+(?:deployed|rolled out|running|released)",
    ),
    pattern(
        "node",
        r"\b(?:landed|lands|lives|lived|resides|stays|sat) on (?:node )?['\"`]?"
        r"([a-z][a-z0-9.-]*-[a-z0-9.-]*[a-z0-9])",
    ),
    pattern(
        "matched",
        r"\b(no|not a single|not one) pods?\s+(?:match(?:es)?|fits?|carr(?:y|ies)|(?:is|are) selected)",
    ),
    pattern(
        "ready",
        rf"\b{NUMBER} of (?:the |its |all )?{NUMBER} {THINGS}{_OF}\s*(?:\s(?:are|is|were|was))?\s+(?:\w+ly\s+)?"
        r"(ready|available|running|healthy|up)\b",
    ),
    pattern("ready", rf"\b{NUMBER} (?:out )?of {NUMBER}\s+()(?:are |is )?(?:ready|available|healthy)\b"),
    pattern("ready", r"\b(?:replicas?|ready|pods|availability)(?:\s+(?:is|are|at|of|only))*[\s:=]+(\d+)/(\d+)()\b"),
    pattern("ready", rf"\b(\d+)/(\d+) ()(?:{THINGS}|ready|available)\b"),
    pattern(
        "desired",
        rf"\b(?:has|have|runs?|wants|asks for|scaled to|with|set to|desires|configured for)\s+"
        rf"(?:only\s+|just\s+)?{NUMBER}\s+(?:desired |wanted )?(?:replicas?|copies|instances)\b",
    ),
    pattern(
        "unready",
        rf"\b{NUMBER}(?: of its| of the)?\s+(?:pods?|replicas?){_OF}\s+(?:is|are) (?:not|un)\s?-?(?:ready|available)",
    ),
    pattern("restarts", rf"\b{NUMBER} restarts?\b(?!\s+(?:every|per|each|an?)\b)"),
    pattern("restarts", rf"\brestart(?:ed|s)\s+(?:about |some |already )?{NUMBER}(?:\s+times)?\b"),
    pattern("restarts", r"\brestart ?count(?:\s+(?:is|of))?[\s:=]+(\d+)\b"),
    pattern(
        "exit",
        r"\b(?:exit(?:ed|s)?|exit code|ended|terminated|died|dies|fails?|failed)\s+"
        r"(?:with\s+)?(?:an?\s+)?(?:exit\s+)?(?:status\s+|code\s+)?(?:of\s+)?(\d{1,3})\b(?!\s*(?:times|mins?|"
        r"minutes?|secs?|seconds?|hours?|days?|h|m|s|d|pods?)\b)",
    ),
    pattern("exit", r"\bexit (?:code|status)[\s:=]+(\d{1,3})\b"),
    pattern(
        "image",
        r"\bimages?\s+(?:is\s+|of\s+|to\s+|tag\s+)?['\"`]?((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w][\w.-]*\w"
        r"(?:@sha256:[0-9a-f]+)?)",
    ),
    pattern(
        "image",
        r"\b(?:runs|running|uses|using|pulls?|at)\s+(?:the\s+)?(?:image\s+)?['\"`]?"
        r"((?:[\w.-]+(?::\d+)?/)+[\w.-]+:[\w][\w.-]*\w)",
    ),
    pattern("since", rf"\bsince\s+{_TIME}"),
    pattern("created", rf"\b(?:created|made|came into being|added|born)\s+{ABOUT}{AGO}\s+ago\b"),
    pattern("created", rf"\bis\s+{ABOUT}{AGO}\s+old\b"),
    pattern("created", rf"\bage(?:\s+is|\s+of)?[\s:]+{AGO}\b"),
    pattern(
        "changed",
        rf"\b(?:changed|updated|rolled out|deployed|modified|rollout|roll-out|released|upgraded|edited)"
        rf"(?:\s+(?:was|happened|began|started))?\s+{ABOUT}{AGO}\s+ago\b",
    ),
    pattern("scaled", rf"\bscaled(?:\s+(?:up|down))?\s+{ABOUT}{AGO}\s+ago\b"),
    pattern("node", r"\b(?:on|onto|to)\s+(?:the\s+)?(?:node\s+)['\"`]?([a-z0-9][a-z0-9.-]*[a-z0-9])"),
    pattern(
        "node",
        r"\b(?:runs?|running|scheduled|placed|sits?|assigned)\s+(?:on|to|onto)\s+['\"`]?"
        r"([a-z][a-z0-9.-]*-[a-z0-9.-]*[a-z0-9])",
    ),
    pattern(
        "label",
        r"\b(?:labels?|labell?ed|selector|selects?|selecting)\b(?:\s+(?:is|on|of|with|pods|by|the|label|for))"
        r"*[\s:'\"`]+"
        r"([\w./-]+\s?=\s?[\w.-]+)",
    ),
    pattern(
        "port", r"\b(?:(?:target|container|node)?\s?-?ports?)(?:\s+(?:is|of|to|at|number))*[\s:]+['\"`]?(\d{1,5})\b"
    ),
    pattern(
        "port", r"\b(?:listens?|listening|serves?|serving|exposes?|reached)\s+(?:on|at)\s+(?:port\s+)?:?(\d{2,5})\b"
    ),
    pattern(
        "memory limit",
        rf"\bmemory limits?(?:\s+(?:is|of|at|to|was|are|only|just))*\s+(?:only |just )?{QUANTITY}",
    ),
    pattern("memory limit", rf"\blimits?\.memory(?:\s+(?:is|of|at))?[\s:=]+{QUANTITY}"),
    pattern("memory request", rf"\bmemory requests?(?:\s+(?:is|of|at))*\s+{QUANTITY}"),
    pattern("cpu limit", rf"\bcpu limits?(?:\s+(?:is|of|at))*\s+{QUANTITY}"),
    pattern("cpu request", rf"\bcpu requests?(?:\s+(?:is|of|at))*\s+{QUANTITY}"),
    pattern(
        "event",
        r"\bevents?\s+(?:of (?:type |reason )?|named |with reason |reason |say |says |tell of |show |shows )?['\"`]"
        r"([A-Z][A-Za-z]{3,40})['\"`]",
    ),
    pattern("event", r"\b((?-i:[A-Z][a-z]+[A-Z][A-Za-z]{2,40}|BackOff|Unhealthy|Killing|Evicted|Failed)) events?\b"),
    pattern(
        "log",
        r"\blogs?\b[^.'\"`]{0,60}?\b(?:say|says|said|show|shows|contain|contains|read|reads|line|lines|with|has|have|"
        r"end with|ends with)[\s:]+['\"`]([^'\"`]{4,200})['\"`]",
    ),
    pattern("revision", r"\b(?:is at|at|on|runs|now at)\s+revision\s+(\d+)\b"),
    pattern("revision", r"\brevision\s+(\d+) of [\w/' -]{1,60}? (?:is|runs)\b(?! (?:not|gone))"),
    pattern("pressure", r"\bnode-?[\w.-]* is (down|up)\b"),
    pattern("absent", r"\b(?:does not|doesn't|did not|didn't) exist()\b"),
    pattern("absent", r"\b(?:is|was) (?:missing|absent|not there|gone|nonexistent|deleted)()\b"),
    pattern("endpoints", rf"\b(?:has|have|with)\s+{NUMBER} (?:ready )?endpoints?\b"),
    pattern("ready count", rf"\b{NUMBER} (?:ready|available|healthy) (?:replicas?|pods?|copies)\b"),
    pattern("running", rf"\b(?:running|up|alive|ran|run)(?:\s+(?:fine|well))?\s+for\s+{ABOUT}{AGO}\b"),
    pattern(
        "ended",
        r"\b(?:died|crashed|ended|was killed|was OOM-?\s?killed|failed|restarted)\s+(?:last\s+)?{ABOUT}"
        rf"{AGO}\s+ago\b",
    ),
    pattern(
        "changed",
        rf"\b(?:roll-?out|deployment|change|release|update)(?:\s+of\s+[\w/' -]{{1,60}}?)?\s+"
        rf"(?:was|happened|began|started|came|finished|ended|completed)\s+{ABOUT}{AGO}\s+ago\b",
    ),
    pattern("image", r"\bimages?\s+of\s+[\w/' -]{1,60}?\s+is\s+['\"`]?((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w][\w.-]*\w)"),
    pattern(
        "image",
        r"\b(?:runs|running|uses|using)\s+(?:the\s+)?(?:image\s+)?['\"`]?([a-z][\w.-]*:(?:latest|v?\d[\w.-]*))\b",
    ),
    pattern("memory limit", rf"\blimited to\s+{QUANTITY} of memory\b"),
    pattern("container", r"\bcontainers?\s+['\"`]([a-z0-9][a-z0-9-]*)['\"`]"),
)
