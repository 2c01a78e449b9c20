"""What secrets look like on their own: formats their issuers made recognisable, as RE2 patterns.

Lengths follow the issuers' own formats, so that a word which merely starts like a token stays. Each pattern's whole
match is the secret, unless it has a group: then the group is.
"""

from __future__ import annotations

import functools
from typing import Any

_WORD = r"[A-Za-z0-9_-]"

TOKENS = (
    r"\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}\b|\bAKIA[A-Z0-9]{12,16}\b",  # AWS access keys
    r"\bABSK[A-Za-z0-9+/]{109,269}={0,2}|\bbedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]*",
    r"\bAIza[\w-]{35}\b|\bya29\.[\w-]{20,}",  # Google
    r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",  # Azure client secrets
    r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}",
    r"\bgl(?:pat|dt|oas|ft|imt|soat|agent|ptt|cbt|rt|rtr|ffct)-[\w-]{16,}(?:\.[\w-]{2,})*|\bGR1348941[\w-]{20,}",
    r"\b_gitlab_session=[0-9a-z]{32}\b",
    r"(?i)\bxox[abceprs]-(?:\d+-)?[\w-]{10,}|\bxoxo-\d+-[\w-]{10,}",
    r"\bxoxe\.xox[bp]-\d-[A-Za-z0-9]{100,}|\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+",
    r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,}",
    r"\b(?:sk|rk)_(?:test|live|prod)_[A-Za-z0-9]{10,}\b|\bwhsec_[A-Za-z0-9+/=]{24,}",  # Stripe
    r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[\w-]{40,}|\brubygems_[a-f0-9]{48}\b|\bdckr_[a-z]{3}_[\w-]{20,}",
    r"\bdo[opr]_v1_[a-f0-9]{64}\b|\bhf_[A-Za-z]{34}\b|\bapi_org_[A-Za-z]{34}\b",
    r"\bSG\.[\w=.-]{60,}|\bSK[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b",  # SendGrid, Twilio, Mailgun
    r"\bhv[bsr]\.[\w-]{60,}|\bs\.[A-Za-z0-9]{24}\b|\b[A-Za-z0-9]{14}\.(?i:atlasv1)\.[\w=-]{60,}",  # HashiCorp
    r"\bsk-ant-(?:api|admin)\d\d-[\w-]{93}AA\b|\bsk-(?:proj-|svcacct-|admin-)?[\w-]{20,}T3BlbkFJ[\w-]{20,}",
    r"\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b|\bglc_[A-Za-z0-9+/]{32,}={0,2}|\beyJrIjoi[A-Za-z0-9+/]{60,}={0,2}",
    r"\bNRAK-[A-Za-z0-9]{27}\b|\bNRJS-[a-f0-9]{19}\b|\bNRII-[\w-]{32}",  # New Relic
    r"\bsha256~[\w-]{43}",  # OpenShift
    r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}|\bops_eyJ[A-Za-z0-9+/]{250,}={0,2}",
    r"\bsgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}\b|\bsq[upa]_[a-f0-9]{40}\b",
    r"\bsntryu_[a-f0-9]{64}\b|\bsntrys_eyJ[\w+/=-]{60,}",
    r"\bEAA[A-Za-z0-9]{80,}\b|\b\d{15,16}\|[\w-]{27}\b|\bsq0[a-z]{3}-[\w-]{22,43}",  # Meta, Square
    r"\bEZ[AT]K[A-Za-z0-9]{54}\b|\bduffel_(?:test|live)_[\w-]{43}",
    r"\bshippo_(?:test|live)_[a-fA-F0-9]{40}\b|\bFLWSECK(?:_TEST)?-[a-z0-9-]{12,}",
    r"\bs-s4t2(?:ud|af)-[0-9a-f]{64}\b",
    r"\b[0-9a-f]{32}-us\d{1,2}\b|\bxkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}\b",
    r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b",
    r"\bdapi[a-f0-9]{32}(?:-\d)?\b|\bLTAI[A-Za-z0-9]{20}\b",
    r"\bAT[AC]TT3[\w=-]{100,}|\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b",
    r"\blin_api_[A-Za-z0-9]{40}\b|\bntn_\d{11}[A-Za-z0-9]{35}\b",
    r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b|\b[ps]at\.[\w-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}\b",  # Airtable, Harness
    r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,}",
    r"\bdt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b",
    r"\bpscale_(?:tkn|pw|oauth)_[\w=.-]{32,64}|\bpnu_[a-z0-9]{36}\b",
    r"\bpul-[a-f0-9]{40}\b|\brdme_[a-z0-9]{70}\b|\btfp_[\w.=-]{59}",
    r"\bAKCp[A-Za-z0-9]{10,}|\bCLOJARS_[a-z0-9]{60}\b|\bHRKU-AA[\w-]{58}",
    r"\btk-us-[\w-]{48}|\bfio-u-[\w=-]{64}|\bfo1_[\w-]{43}|\bfm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}={0,3}",
    r"\b(?:pplx-[A-Za-z0-9]{48}|gsk_[A-Za-z0-9]{52}|xai-[A-Za-z0-9]{80})\b|\bAQVN[\w-]{35,38}",  # models and clouds
    r"\b\d{8,10}:AA[\w-]{33}\b|\b[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}\b",  # Telegram, Discord
    r"\bdiscord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{40,}|\bwebhook\.office\.com/webhookb2/[\w@/-]{60,}",
    r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}\b",  # 1Password
    r"\bdnkey-[\w=-]{26}-[\w=-]{52}\b|\bAPI-[A-Z0-9]{26}\b",
    r"\bico-[A-Za-z0-9]{32}\b|\bp8e-[A-Za-z0-9]{32}\b|\bv1\.0-[a-f0-9]{24}-[a-f0-9]{146}\b",
    # a private key's PEM in base64: its "PRIVATE KEY" at any of three alignments, in one line or many
    r"[A-Za-z0-9+/]{8,}(?:UFJJVkFURSBLRVkt|BSSVZBVEUgS0VZLS|QUklWQVRFIEtFWS0t)"
    r"[A-Za-z0-9+/=]{20,}(?:\r?\n[ \t]*[A-Za-z0-9+/=]{20,})*(?:\r?\n[ \t]*[A-Za-z0-9+/]+={1,2})?",
    # gzip in base64, once and twice: appliers and Helm keep whole manifests so, and nobody can read them anyway
    r"\b(?:H4sI|SDRzS)[A-Za-z0-9+/]{40,}={0,2}",
    r"\bey[A-Za-z0-9]{14,}\.ey[A-Za-z0-9/_\\-]{14,}(?:\.(?:[\w/\\-]{10,}={0,2})?)?|\bZXlK[A-Za-z0-9+/=]{60,}",  # JWT
)

PRIVATE_KEY = (
    r"(?is)-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----|\z)"
)
# The user part of a URL may be empty, as Redis's is.
USERINFO = r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@'\"<>\[\]]*:([^\s/?#@'\"]+)@[\w\[]"
# In JSON that is itself a JSON string, quotes are escaped.
_QUOTE = r"(?:\\*[\"'])?"
_SCHEMES = r"api-?key|negotiate|ntlm|bot|oauth|splunk|geniekey|sso-key|pve[a-z]*token"
AUTHORIZATION = (
    rf"(?i)\b(?:proxy-)?authorization{_QUOTE}\s*[:=]\s*{_QUOTE}\s*"
    rf"(?:(?:bearer|basic|token|{_SCHEMES})\s+)?([\w.~+/=:-]{{8,}})"
)
SCHEME = r"(?i)\b(?:bearer|basic)\s+([\w.~+/=-]{16,})"
HEADER = rf"(?i)\bx-[a-z-]*(?:token|key|secret|auth)[a-z-]*{_QUOTE}\s*:\s*{_QUOTE}([\w.~+/=-]{{8,}})"
CURL_USER = r"(?m)\bcurl\b.*?\s(?:-u|--user)[\s=]*('[^':\s]*:[^']+'|\"[^\":\s]*:[^\"]+\"|[^\s'\":]+:[^\s'\"]+)"

_NAME = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret[_.-]key(?:[_.-]base)?|secrete?s?|token|api[_.-]?key|access[_.-]?key|auth[_.-]?key|account[_.-]?key"
    r"|(?:private|encryption|signing|user|master|storage|app|application|licen[cs]e|session|shared|admin|hmac|jwt"
    r"|deploy|subscription)[_.-]?key|credentials?|connection[_.-]?string"
    r"|conn[_.-]?str|dsn|webhook[_.-]?url)"
)
FLAG = rf"(?i)(?:^|\s)--?[a-z0-9-]*{_NAME}[ \t]+([^\s\"'`;|&<>$(-][^\s\"'`;|&]*)"
ITEM = (
    rf"(?i)(?:^|[\s\"'])--?[a-z0-9-]*{_NAME}"
    r"(?:\\*[\"'],\s*\\*[\"']|[\"']?[ \t]*\n[ \t]*-[ \t]+[\"']?)([^\s\"'\\-][^\s\"'\\]*)"
)
ELEMENT = rf"(?i)<[\w.:-]*{_NAME}>([^<>\n]+)</"
# A setting of XML: <add key="ClearTextPassword" value="..." />
ATTRIBUTE = rf"(?i)\b(?:key|name)\s*=\s*[\"'][\w.:-]*{_NAME}[\"']\s+value\s*=\s*[\"']([^\"'<>\n]+)[\"']"
# A comparison with the value first: "..." == password
COMPARED = rf"(?i)[\"']([^\"'\n]{{4,200}})[\"']\s*[!=]==?\s*[\w.>\[\]-]*{_NAME}\b"
LEADS = (USERINFO, AUTHORIZATION, SCHEME, HEADER, FLAG, ITEM, ELEMENT, ATTRIBUTE, COMPARED)
# What a shorter word tells before: a login, a database's own way to write an address, a signed URL.
SPECIFIC = (
    ("@", r"\b[\w.-]{1,64}:([^\s:@/'\"]{3,})@(?:tcp|udp|unix)\("),  # Go's MySQL driver
    ("jdbc:oracle", r"(?i)\bjdbc:oracle:\w+:[\w.$-]+/([^\s@/'\"]+)@"),
    ("sig", r"(?i)[?&](?:sig|signature|x-(?:amz|goog)-signature)=([\w%+/=.-]{20,})"),
    ("Digest", r"\bDigest\s.*?\bresponse=\\*\"?([0-9A-Za-z]{16,})"),
    ("login", r"\blogin\b.*?\s(?:-p|--password)[\s=]+['\"]?([^\s'\"-][^\s'\"]*)"),
    ("sshpass", r"\bsshpass\s+-p\s*['\"]?([^\s'\"]+)"),
    ("redis-cli", r"\bredis-cli\b.*?\s(?:-a|--pass)[\s=]+['\"]?([^\s'\"]+)"),
    ("-p", r"\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|mariadb-admin)\b.*?\s-p['\"]?([^\s'\"]{3,})"),
    (
        "value",
        rf"(?i)\bvalue{_QUOTE}\s*:\s*{_QUOTE}([^\s\"'\\,{{}}]{{3,}}){_QUOTE},?\s*{_QUOTE}name{_QUOTE}\s*:\s*{_QUOTE}[\w./-]*{_NAME}\b",
    ),
    ("ENV", rf"(?m)^\s*ENV\s+\w*(?i:{_NAME})\w*\s+([^\s=]+)$"),  # a Dockerfile's
)
# All values of a Secret that a command line makes, whatever their names.
LITERALS = r"\bcreate\s+secret\s.*"
LITERAL = r"--from-literal[=\s]+['\"]?[\w.-]+=([^\s'\"]+)"
COOKIES = rf"(?i)\bcookie{_QUOTE}\s*[:=]\s*\[?{_QUOTE}[\w.%-]+=[^\r\n\"']*"
COOKIE = r"([\w.%-]+)=([^\s;\"'\\]{8,})"
# Text in base64: in one line, or in lines of one length.
WRAPPED = r"[A-Za-z0-9+/_-]{40,}={0,2}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{1,120}={0,2})*"
# A docker configuration's: user and password in base64.
LOGIN = rf"(?i)\bauth{_QUOTE}\s*[:=]\s*{_QUOTE}([A-Za-z0-9+/]{{8,}}={{0,2}})"

SECRET_NAME = rf"(?i)(?:^|[^A-Za-z]|[a-z]){_NAME}(?:s|[_.-]?(?:value|base64|b64|id|\d+))?$"
# A variable that may hold some vendor's key, as STRIPE_KEY does: its value decides; and keys that are no secrets.
SOME_KEY = r"^[A-Z][A-Z0-9_]*_KEY$"
OPEN_KEY = r"(?:PUBLIC|PARTITION|CACHE|SORT|PRIMARY|FOREIGN|ROUTING|IDEMPOTENCY|ROW|INDEX|HASH|RANGE)_KEY$"
# A key and what assigns; and a variable's name with the word that says its value.
ASSIGNMENT = rf"(?i){_NAME}(?:[_-]?[a-z0-9]{{0,12}})?(?:\\*[\"'\]]){{0,2}}\s{{0,3}}(?:=>|:=|[!=]==?|=|:)\s{{0,3}}"
PAIR = rf"(?i)\bname{_QUOTE}\s*:\s*{_QUOTE}([\w./-]{{1,100}}){_QUOTE},?\s*{_QUOTE}value{_QUOTE}\s*:\s{{0,3}}"
MANY = r"(?i)(?:pass(?:word|wd|phrase|code)|pwd|token|api[_.-]?key|access[_.-]?key)s$"
"""Names of many secrets. `secrets` and `credentials` are as often lists of names of them."""

MANIFEST = r"\bkind(?:\\*[\"'])?:\s*(?:\\*[\"'])?Secret\b"
# A line of a manifest's data: the value in base64, on the line of its key or in a block below it.
IN_MANIFEST = (
    r"(?m)^[ \t]*(?:-[ \t]+)?[\"']?[\w.-]+[\"']?:[ \t]*(?:[|>][+-]?[ \t]*\n[ \t]+)?"
    r"[\"']?([A-Za-z0-9+/]{10,}={0,2})[\"']?[ \t]*$"
)
# The same in one line, as JSON and as YAML in braces.
IN_BRACES = r"\b(?:data|stringData)(?:\\*[\"'])?\s*:\s*\{([^{}]*)\}"


@functools.cache
def compiled(pattern: str) -> Any:
    """The pattern on RE2, whose time is linear in the text."""
    import re2

    return re2.compile(pattern)
