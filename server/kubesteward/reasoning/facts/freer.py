"""Claims in freer words, read after those of `phrases` and `patterns`: numbers and shares at some distance from what
they count, times of whatever happened, and whose something is.
"""

from __future__ import annotations

from kubesteward.reasoning.facts.patterns import ABOUT, AGO, NUMBER, QUANTITY, THINGS, Pattern, pattern

_ADVERBS = r"(?:(?:\w+ly|still|now|back|again|all|both|up and|in fact|at all)\s+){0,3}"
_UP = (
    r"(?:up|ready|available|running|healthy|alive|well|fine|ok|okay|online|operational|working|serving|answering|"
    r"handling|accepting|responding|taking|in service|good|intact)"
)
_DOWN = (
    r"(?:down|unavailable|not (?:ready|available|up|running|serving|healthy)|unready|notready|unhealthy|"
    r"failing|broken|"
    r"offline|out of service|dead|crashing|gone|missing|lost|crash-?looping|in trouble)"
)
_BE = r"(?:is|are|was|were|remains?|stays?|reports?|shows?(?: as)?|counts? as|being)"
_IS_UP = rf"(?:{_BE}\s+{_ADVERBS}{_UP}\b|(?:still\s+)?(?:serves?|works?|answers?)\b)"
_IS_DOWN = rf"(?:{_BE}\s+{_ADVERBS}{_DOWN}\b|(?:have\s+|has\s+)?(?:fails?|failed|crash(?:es|ed)?|died)\b)"
_ONES = r"(?:[\w'`/.-]{1,63}\s+){0,4}?"
_MANY = rf"{_ONES}{THINGS}"
_ONLY = r"(?:only\s+|just\s+|merely\s+|exactly\s+|but\s+)?"
_N, _M = NUMBER.replace("(", "(?P<n>", 1), NUMBER.replace("(", "(?P<m>", 1)
_PART = r"(half|(?:an?|one|two|three)[ -](?:third|quarter|fifth)s?)"
_FAR = r"[^.;:|()\n]{0,40}?"
_NAMED = r"['\"`]?(?:[a-z0-9-]+/)?([a-z0-9][a-z0-9-]*)"
_NOT_LEAST = (
    "".join(
        f"(?<!{word} )"
        for word in (
            "at least",
            "more than",
            "fewer than",
            "less than",
            "at most",
            "up to",
            "of",
            "of the",
            "of its",
            "of all",
            "first",
            "last",
            "other",
            "next",
            "another",
            "but",
        )
    )
    + "(?<!/)"
)
"""Not behind what makes another number of it."""

ANY_IMAGE = pattern("image", r"(?<![\w/.@-])((?:[\w-]+\.)+[\w-]+(?::\d+)?/(?:[\w.-]+/){0,4}[\w.-]+:[\w][\w.-]*\w)")
"""With the name of a registry before it, nothing else looks like an image."""
FREER: tuple[Pattern, ...] = (
    pattern("unready of", rf"\b(\d+)/(\d+)\s+(?:of\s+)?{_MANY}\s+{_IS_DOWN}"),
    pattern("ready", rf"\b(\d+)/(\d+)()\s+(?:of\s+)?{_MANY}\s+{_IS_UP}"),
    pattern("ready", rf"\b(\d+)/(\d+)()\s+{_BE}\s+{_ADVERBS}{_UP}\b"),
    pattern("unready of", rf"\b(\d+)/(\d+)\s+{_BE}\s+{_ADVERBS}{_DOWN}\b"),
    pattern("unready of", rf"\bof\s+(?:the\s+|its\s+|all\s+)?{_M}\s+{_MANY},?\s+{_ONLY}{_N}\s+{_IS_DOWN}"),
    pattern("ready", rf"\bof\s+(?:the\s+|its\s+|all\s+)?{_M}\s+{_MANY},?\s+{_ONLY}{_N}\s+{_IS_UP}"),
    pattern("unready of", rf"\b{_M}\s+{_MANY},?\s+(?:of which|and)\s+{_ONLY}{_N}\s+(?:of them\s+)?{_IS_DOWN}"),
    pattern("ready", rf"\b{_M}\s+{_MANY},?\s+(?:of which|and)\s+{_ONLY}{_N}\s+(?:of them\s+)?{_IS_UP}"),
    pattern("unready of", rf"\b{NUMBER}\s+(?:out\s+)?of\s+(?:the\s+|its\s+|all\s+)?{NUMBER}\s+{_MANY}\s+{_IS_DOWN}"),
    pattern("ready", rf"\b{NUMBER}\s+(?:out\s+)?of\s+(?:the\s+|its\s+|all\s+)?{NUMBER}()\s+{_MANY}\s+{_IS_UP}"),
    pattern(
        "ready",
        rf"\b(?:runs?|serves? (?:with|from)|keeps?)\s+{_ONLY}{NUMBER}\s+of\s+(?:its\s+|the\s+)?{NUMBER}()"
        rf"\s+{_MANY}\b",
    ),
    pattern(
        "ready",
        rf"\b(?:is|stands|sits|remains|stuck|stays|running|replicas?|pods)\s+{_ADVERBS}(?:at|on)\s+{_ONLY}"
        rf"{NUMBER}\s?(?:/|of|out of)\s?{NUMBER}()(?!\s*(?:[KMG]i?B?\b|CPU|node|percent|%))\b",
    ),
    pattern("part", rf"\b{_PART}\s+(?:of\s+)?{_MANY}\s+(?:is|are)\s+{_ADVERBS}({_UP}|{_DOWN})\b"),
    pattern(
        "part",
        r"\b(?:at|with)\s+(?:only\s+|about\s+)?(half|a third|two thirds|a quarter)\s+(?:of\s+)?(?:its\s+|the"
        r"\s+)?(?:normal\s+|usual\s+)?()capacity\b",
    ),
    pattern("percent", rf"\b(\d{{1,3}})\s?%\s+of\s+{_MANY}\s+{_IS_UP}"),
    pattern(
        "share",
        r"\b(?:has|have|with|keeps|at)\s+(?:its\s+|a\s+|the\s+)?(full|complete)\s+(?:set|complement|number|"
        r"strength)(?: of)?\b",
    ),
    pattern("ready count", rf"\bdown to\s+(?:its\s+|the\s+|a\s+)?{_ONLY}(?:last\s+)?{NUMBER}\s+{_ONES}{THINGS}\b"),
    pattern(
        "ready count",
        rf"\b(?:left|serv\w+|remain\w*|stays up|keeps going) with\s+{_ONLY}{NUMBER}\s+(?!un|not|fail|broken|"
        rf"missing){_MANY}\b",
    ),
    pattern("last one", r"\b()(?:its|the) (?:very )?last\s+(?:\w+\s+){0,2}?(?:replica|pod|instance|copy)\b"),
    pattern(
        "ready count",
        rf"\b(?:ready|available)\s?replicas\b['\"`]?{_FAR}(?:[:=]|\bis|\bare|\bat)\s*{NUMBER}\b(?!\s*(?:/|of))",
    ),
    pattern(
        "ready count",
        r"(?<!are )(?<!is )(?<!nodes )\b(?:ready|available)(?:\s+now)?(?:\s*[:=]\s*|\s+)(\d+)\b(?!\s*(?:/|of|"
        r"times|[smhd]\b|sec|min|hour|day))",
    ),
    pattern("ready count", r"(?<![/\d])\b(\d+)\s+(?:ready|available)\b(?=\s*[,;.)|]|\s*$)(?<!of \d ready)"),
    pattern(
        "unready",
        r"\b(?:unavailable|unready|not ready)(?:\s*[:=]\s*|\s+)(\d+)\b(?!\s*(?:/|of|times|[smhd]\b|sec|min|"
        r"hour|day))",
    ),
    pattern(
        "ready count", rf"\b{_NOT_LEAST}{_ONLY}{NUMBER}\s+(?!of\b)(?:[\w'`/.-]{{1,63}}\s+){{0,2}}?{THINGS}\s+{_IS_UP}"
    ),
    pattern(
        "unready", rf"\b{_NOT_LEAST}{_ONLY}{NUMBER}\s+(?!of\b)(?:[\w'`/.-]{{1,63}}\s+){{0,2}}?{THINGS}\s+{_IS_DOWN}"
    ),
    pattern(
        "unready",
        rf"\b(?:lost|loses|lacks|missing|short of|lacking)\s+{_ONLY}(a|{NUMBER[1:-1]})\s+(?:of (?:its|the)\s+)?"
        rf"(?:\w+\s+){{0,2}}?{THINGS}\b",
    ),
    pattern("unready", rf"\b(?:lost|loses)\s+{_ONLY}{NUMBER}\s+of\s+(?:its|the)\s+"),
    pattern("unready", rf"\b(a|{NUMBER[1:-1]})\s+(?:replicas?|pods?|instances?)\s+short\b"),
    pattern(
        "ready count",
        rf"(?:^|[,;:]\s+|\band\s+|\bbut\s+){_ONLY}{NUMBER}\s+(?:of (?:them|these|those)\s+)?{_IS_UP}",
    ),
    pattern(
        "share",
        rf"\b(?:has|have)\s+(all)\s+(?:of\s+)?(?:its|the|their)\s+(?:\w+\s+)?{THINGS}\b(?!\s+(?:on|in|from|of)"
        r"\b)",
    ),
    pattern("unready", rf"\ball but\s+{NUMBER}\s+(?:of\s+)?{_MANY}\s+{_IS_UP}"),
    pattern("ready count", rf"\ball but\s+{NUMBER}\s+(?:of\s+)?{_MANY}\s+{_IS_DOWN}"),
    pattern(
        "not made",
        rf"\b{NUMBER}\s+of\s+(?:the\s+|its\s+)?\w+\s+{_MANY}\s+(?:could not|cannot|can't|couldn't|were not|"
        r"were never)\s+(?:be\s+)?(?:created|made)\b",
    ),
    pattern(
        "ready count",
        rf"\b{_NOT_LEAST}{NUMBER}\s+(?:ready|available|healthy|working|serving)\s+(?:[\w'`/.-]{{1,63}}\s+)"
        rf"{{0,2}}?{THINGS}\b",
    ),
    pattern(
        "ready",
        rf"\bwith\s+{_ONLY}{NUMBER}\s+(?:out\s+)?of\s+(?:its\s+|the\s+)?{NUMBER}()\s+{THINGS}\b(?!\s+"
        rf"(?:{_DOWN}|in|being|fail|crash))",
    ),
    pattern(
        "share",
        r"\b(not one|not a single|not any)\b(?!\s+of\s+\d)[\w' /-]{0,60}?\b(?:is|are)\s+(?:still )?(?:up|"
        r"in service|serving|available|running|ready|healthy|alive)\b",
    ),
    pattern("created", rf"\bage of\b{_FAR}(?:\bis|:|=)\s*{ABOUT}{AGO}\b"),
    pattern(
        "desired",
        rf"\b{_NOT_LEAST}{NUMBER}\s+(?!more|further|additional){_MANY}\s+are\s+(?:configured|requested|wanted|"
        r"desired|specified)\b",
    ),
    pattern("state", r"\b(not|never|n't)\s+(?:\w+\s+)?(?:run|ran|running)\s+(out of memory)\b"),
    pattern(
        "not made",
        rf"\b{_NOT_LEAST}{NUMBER}\s+(?:more\s+|further\s+)?(?!of\b){_MANY}\s+(?:could not|cannot|can't|"
        r"couldn't|were not|were never|are not|weren't)\s+(?:be\s+)?(?:created|made)\b",
    ),
    pattern("not made", rf"\b{NUMBER}\s+(?:of them\s+|{_MANY}\s+)?(?:is|are)\s+(?:still\s+)?missing\b"),
    pattern("updated", rf"\b{NUMBER}\s+updated\b"),
    pattern("updated", r"\bupdated(?:Replicas)?\s*[:=]\s*(\d+)\b"),
    pattern("updated", r"(?<=, )updated\s+(\d+)(?=,|\s*$|\.$)"),
    pattern(
        "ready count",
        rf"\b{NUMBER}\s+of\s+(?:the|its|these|those)\s+(?:[\w'/.-]{{1,63}}\s+){{0,2}}?{THINGS}(?:\s+of\s+[\w'`/.-]{{1,80}})?"
        rf"\s+(?:is|are)\s+(?:\w+ly\s+|still\s+|now\s+)*(?:{_UP})\b",
    ),
    pattern("container", r"\bcontainer\s+([a-z0-9]+(?:-[a-z0-9]+)+)(?=\s+(?:in|of)\s+(?:the\s+)?(?:pod|deployment)\b)"),
    pattern(
        "updated",
        rf"\b{NUMBER}\s+(?:of\s+(?:the\s+|its\s+)?\w+\s+)?{_MANY}\s+(?:(?:are|is|already|now|run|runs)\s+)"
        rf"{{0,3}}(?:on|at|from)?\s*"
        r"the (?:new|newest|latest) (?:revision|template|version|release)\b",
    ),
    pattern(
        "down",
        rf"\bnode that\b{_FAR}\b(stopped|failed|died|is down|is NotReady|went)\b{_FAR}\b(?:is|was)(?=\s)",
    ),
    pattern("down", r"\b(failing|crashing|broken|affected|stuck|unhealthy|bad|culprit) pod (?:is|was)(?=\s)"),
    pattern(
        "down",
        rf"\bpod (unable|(?:that|which) (?:\w+ ){{0,3}}?"
        rf"(?:fail|crash|broken|stuck|cannot|can|could|restart|down|kill))"
        rf"(?:\w|'){{0,9}}\b{_FAR}\b(?:is|was)\s+(?=['\"`]?[a-z0-9-]{{4,60}}['\"`]?\s*(?:[.,;]|$))",
    ),
    pattern("unready", rf"\b{_NOT_LEAST}{NUMBER}\s+(?:unavailable|unready|failing|broken|missing)\s+{THINGS}\b"),
    pattern(
        "memory limit",
        r"(?<!old )(?<!previous )(?<!former )(?<!earlier )(?<!cpu )\b(?:mem(?:ory)?\s+)?limits?\s*(?:[:=]|"
        r"\bof|\bat)?\s*"
        r"(\d+(?:\.\d+)?(?-i:[KMGT])i)\b",
    ),
    pattern(
        "updated",
        rf"\b(both|all|{NUMBER[1:-1]})\s+(?:[\w'`/.-]{{1,63}}\s+){{0,3}}?{THINGS}(?:\s+of\s+[\w'`/ -]{{1,60}}?)?\s+"
        r"(?:have|has|were|are)\s+(?:\w+\s+){0,2}?updated\b",
    ),
    pattern("desired", rf"\b(?:should|must|ought to)\s+have\s+{_ONLY}{NUMBER}\s+{_MANY}\b"),
    pattern(
        "desired",
        r"\b(?:asks for|asked for|called for|wanted|requested|specified|declared|demanded|wants|desires|"
        rf"requests|specifies|calls for|declares|demands)\s+{_ONLY}{NUMBER}"
        rf"\s+(?!more|further|additional)(?:\w+\s+)?{THINGS}\b",
    ),
    pattern(
        "desired",
        rf"\bthere are\s+{NUMBER}\s+(?:\w+\s+)?{THINGS}{_FAR}\b(?:configured|desired|wanted|requested|"
        r"specified)\b",
    ),
    pattern(
        "desired",
        r"\b(?:desired|wanted|configured|spec\.)\s?(?:replicas|pods|count)?\b['\"`]?(?:[^.;:,|()\d\n/]|(?<=\w)"
        r"/(?=\w)){0,40}?(?:[:=]|\bis|\bare|\bat|\s)\s*(\d+)\b(?!\s*(?:/|of|[KMG]i?|m\b|%))",
    ),
    pattern("desired", rf"\b{NUMBER}\s+(?:replicas?|pods)\s+(?:desired|wanted|configured|requested)\b"),
    pattern("desired", rf"\b{NUMBER}\s+(?:desired|wanted|configured|requested)\s+(?:replicas?|pods|copies)\b"),
    pattern(
        "memory limit",
        r"\bmemory limits?\s+(?:of|for|on)\s+(?:the\s+)?[\w'`/.-]+\s+(?:containers?|deployment|pods?)\s+(?:is|at|to)\s+"
        rf"(?:a\s+)?(?:mere\s+|only\s+|just\s+)*{QUANTITY}",
    ),
    pattern(
        "memory limit",
        r"\bmemory limits?\s+(?:of|for|on)\s+[\w'`/.-]+\s+(?:is|was)\s+(?:only\s+|just\s+|set to\s+|merely\s+)"
        rf"*{QUANTITY}",
    ),
    pattern(
        "exit",
        r"\b(?:killed|stopped|quits?|ended)\s+(?:\w+\s+)?with\s+(?:an?\s+)?(?:exit\s+)?(?:code|status)\s+"
        r"(\d{1,3})\b",
    ),
    pattern("state", r"\b(no|without)\s+(?:\w+\s+){0,3}(OOM)[- ]?kill(?:s|ing|ed)?\b"),
    pattern(
        "state",
        r"\b(not|never|n't)\s+(?:(?:been|being|get|got|once|even|actually|an?)\s+){0,3}(OOM)[- ]?kill(?:s|ing|"
        r"ed|er)?\b",
    ),
    pattern("container", rf"\bcontainers?\b{_FAR}\b(?:is|was)\s+(?:called|named)\s+['\"`]?([a-z0-9][a-z0-9-]*)"),
    pattern(
        "owner",
        r"\b(?:owned by|belongs? to|belonging to|(?:pod|replica|member|part) of|managed by)\s+(?:the\s+)?"
        rf"(?:[A-Za-z]+\s+)?{_NAMED}",
    ),
    pattern(
        "its node",
        r"\b(?:the|this|that|failing|bad|crashing|broken|affected|new|newest|stuck|pending|it)(?: \w+)?"
        r"(?: pod)? (?:is|runs|sits|was|has been)\s+(?:\w+\s+)?on\s+(?:node\s+)?['\"`]?((?:[a-z]+-)"
        r"*[a-z]+-?\d+)",
    ),
    pattern(
        "node",
        r"\b(?:is|was|are|were|been|pending|started|starts|stuck|waiting|crashes|crashing|fails|failing|"
        r"placed|hosted)\s+on\s+(?:node\s+)?['\"`]?((?:[a-z]+-)*(?:node|worker|master)-?\d+)",
    ),
    pattern(
        "scaled",
        rf"\b(?:re)?scal(?:ed|ing)(?:[ -](?:up|down|out|in|back))?{_FAR}\b{ABOUT}{AGO}\s+(?:ago|back)\b",
    ),
    pattern(
        "scaled",
        r"\b(?:re)?scal(?:ed|e|ing)(?:[ -](?:up|down|out|in|back))?[^.;,]{0,40}?\b(yesterday|last night|"
        r"last week|last month)\b",
    ),
    pattern(
        "ended",
        rf"\b(?:OOM|kill|crash|restart|died|dies|terminat)\w*[^.;,\n]{{0,40}}?\b{ABOUT}{AGO}\s+(?:ago|back)\b",
    ),
    pattern(
        "changed",
        r"\b(?:roll-?out|release|lowered|raised|cut|reduced|increased|bumped|shipped|pushed)"
        rf"\b{_FAR}\b{ABOUT}{AGO}\s+(?:ago|back)\b",
    ),
    pattern(
        "changed",
        r"\b(?:roll-?out|release|lowered|raised|cut|reduced|increased|bumped|shipped|pushed|edited)"
        r"\b[^.;,]{0,40}?\b(yesterday|last night|last week|last month)\b",
    ),
    pattern("changed", rf"\b(?:release|roll-?out|version|revision|change)\s+is\s+{ABOUT}{AGO}\s+old\b"),
    pattern("moment", rf"(?<![\w.]){AGO}\s+(?:ago|back)\b"),
    pattern("moment", rf"\b(?:is|was)\s+{ABOUT}{AGO}\s+old\b"),
    pattern("moment", r"\b(yesterday|last night|last week|last month)\b"),
    pattern("lasting", rf"\b(?:since|for)\s+(?:the\s+(?:last|past)\s+)?{ABOUT}{AGO}\b"),
    pattern("lasting", rf"\b(?:uptime|up)\b{_FAR}\b(?:is|of|for|:)\s+{ABOUT}{AGO}\b"),
    pattern("lasting", rf"\b(?:for|lasted|lasting|persisted)\s+{ABOUT}{AGO}\b"),
    ANY_IMAGE,
)
