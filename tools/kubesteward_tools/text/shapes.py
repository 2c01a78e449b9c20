"""What secrets look like on their own: formats their issuers made recognisable, as RE2 patterns.

Lengths follow the issuers' own formats, so that a word which merely starts like a token stays. Each pattern's whole
match is the secret, unless it has a group: then the group is.
"""

from __future__ import annotations

_WORD = r"[A-Za-z0-9_-]"

TOKENS = (
    r"\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}\b|\bAKIA[A-Z0-9]{12,16}\b",  # AWS access keys
    r"\bABSK[A-Za-z0-9+/]{109,269}={0,2}|\bbedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]*",
    r"\bAIza[\w-]{35}\b|\bya29\.[\w-]{20,}",  # Google
    r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",  # Azure client secrets
    r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}",
    r"\bgl(?:pat|dt|oas|ft|imt|soat|agent|ptt|cbt|rt|rtr|ffct)-[\w-]{16,}(?:\.[\w-]{2,})*|\bGR1348941[\w-]{20,}",
    r"\b_gitlab_session=[0-9a-z]{32}\b",
    r"(?i)\bxox[abceprs]-(?:\d+-)?[\w-]{10,}|\bxoxo-\d+-[\w-]{10,}|\bxoxe\.xox[bp]-\d-[A-Za-z0-9]{100,}|\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+",
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
    r"\bey[A-Za-z0-9]{14,}\.ey[A-Za-z0-9/_\\-]{14,}(?:\.(?:[\w/\\-]{10,}={0,2})?)?|\bZXlK[A-Za-z0-9+/=]{60,}",  # JWT
)

PRIVATE_KEY = (
    r"(?is)-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----|\z)"
)
# The user part of a URL may be empty, as Redis's is.
USERINFO = r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@'\"<>\[\]]*:([^\s/?#@'\"]+)@[\w\[]"
AUTHORIZATION = (
    r"(?i)\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?\s*(?:(?:bearer|basic|token)\s+)?([\w.~+/=:-]{8,})"
)
SCHEME = r"(?i)\b(?:bearer|basic)\s+([\w.~+/=-]{16,})"
HEADER = r"(?i)\bx-[a-z-]*(?:token|key|secret|auth)[a-z-]*[\"']?\s*:\s*[\"']?([\w.~+/=-]{8,})"
CURL_USER = r"(?m)\bcurl\b.*?\s(?:-u|--user)[\s=]*('[^':\s]*:[^']+'|\"[^\":\s]*:[^\"]+\"|[^\s'\":]+:[^\s'\"]+)"
LEADS = (USERINFO, AUTHORIZATION, SCHEME, HEADER, CURL_USER)

_NAME = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secrete?s?|token|api[_.-]?key|access[_.-]?key|auth[_.-]?key|account[_.-]?key"
    r"|private[_.-]?key|encryption[_.-]?key|signing[_.-]?key|credentials?|connection[_.-]?string|conn[_.-]?str"
    r"|dsn|webhook[_.-]?url)"
)
SECRET_NAME = rf"(?i)(?:^|[^A-Za-z]|[a-z]){_NAME}(?:s|[_.-]?(?:value|base64|b64|id|\d+))?$"
# A key, what assigns, and a value: quoted to its quote's or a cut line's end, otherwise to the next blank or separator.
ASSIGNMENT = (
    rf"(?i)({_NAME}(?:[_-]?[a-z0-9]{{0,12}})?[\"'\]]{{0,2}}\s{{0,3}}(?:=>|:=|[!=]==?|=|:)\s{{0,3}})"
    r"(?:\"((?:[^\"\\\n]|\\.)+)(?:\"|(?m:$))|'((?:[^'\\\n]|\\.)+)(?:'|(?m:$))|`([^`\s]+)`|([^\s\"'`,;&]+))"
)
# A line of a manifest's data: the value in base64, on the line of its key or in a block below it.
IN_MANIFEST = (
    r"(?m)^[ \t]*(?:-[ \t]+)?[\"']?[\w.-]+[\"']?:[ \t]*(?:[|>][+-]?[ \t]*\n[ \t]+)?"
    r"[\"']?([A-Za-z0-9+/]{10,}={0,2})[\"']?[ \t]*$"
)
