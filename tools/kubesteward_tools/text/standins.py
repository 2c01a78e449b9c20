"""What stands where a secret will be: `<your-token>`, `${DB_PASSWORD}`, `REPLACE_ME`, a call that fetches it.

A value counts as one only by its whole form. That a secret contains the word `example`, or begins with a dollar sign,
says nothing: people choose such passwords.
"""

from __future__ import annotations

import re

_NOTHING = frozenset(
    {"null", "none", "true", "false", "undefined", "nil", "string", "string;", "str", "same-origin", "valuefrom:"}
)
_HOLDERS = (
    "var|local|module|data|each|self|this|env|os|process|config|settings|secrets?|vars|inputs|steps|context|github"
    "|params|props|args|values|req|request|ctx|options|opts|cfg"
)
_STORES = "vault|awssecrets|awsssm|gcpsecrets|azurekeyvault|keyvault|secretsmanager|secret|op|sm|k8s"
_ARGUMENTS = r"""["'].*|\).*|[({\[][\s"'(\[{A-Za-z_\])}].*|[A-Za-z_][\w.]*(?:(?:,\s*|\().*|[)\]}][;,)\]}]*)"""
"""Of a call in code, maybe cut off: text, nothing, or a name and what may follow one there."""
_REFERENCE = re.compile(
    r"""
    \$[{(].* | \{\{.* | %\{.* | \#\{.* | %\(.* | `.*          # templates and commands, whose ends may be cut off
    | \$[A-Z_][A-Z0-9_]* | \$[0-9@*]                          # variables of a shell
    | \$[a-z_]*(?:pass|pwd|token|key|secret|cred|user|login|auth)[a-z_]*(?:(?:->|\.)[A-Za-z_]+|\[.*)?
    | <[^<>]*> | \[ | \[[^\[\]\d]*\] | \{[A-Za-z_.]+\} | \(\([\w./-]+\)\)
    | %[A-Z_]{2,}% | %[sdvq] | @[A-Z_.]{2,}@ | __[A-Z_]+__ | @Microsoft\.KeyVault\(.*
    | !(?:Ref|Sub|GetAtt|ImportValue|vault|env|reference)\b.*
    | ENC\[AES256_GCM,.* | arn:aws[\w-]*:.* | vault:[\w/.-]+\#[\w.-]+
    | (?:ref\+)?(?:STORES)://\S+ | projects/[\w-]+/secrets/[\w-]+/versions/\w+
    | (?:HOLDERS)(?=[.\[])(?:\.[A-Za-z_]+)*(?:[\[(<].*)?[;,)]*    # a field of something that a program holds
    | \$?[A-Za-z_]+(?:(?:\.|->|::)[A-Za-z_]+)+\((?:ARGUMENTS)?  # a method that is called
    | [A-Za-z_]{2,}(?:\(|\[)["'].*                                # readPassword("...", ENV["...
    | [a-z]+(?:[._][a-z]+)+\.(?:result|value|secret_string|plaintext|arn|id)  # Terraform's
    """.replace("STORES", _STORES)
    .replace("HOLDERS", _HOLDERS)
    .replace("ARGUMENTS", _ARGUMENTS),
    re.VERBOSE | re.DOTALL,
)
_CALL = re.compile(rf"[a-z][A-Za-z_]{{3,}}\((?:{_ARGUMENTS})?", re.DOTALL)
_FILE = re.compile(r"(?:~|\.{0,2})(?:/[a-z0-9_.-]{1,30}){2,}")
_OBJECT = re.compile(r"(?:[a-z][a-z0-9]{0,11}(?:-[a-z0-9]{1,11})*/){1,2}[a-z][a-z0-9]{0,11}(?:[.-][a-z0-9]{1,11})*")
_ASKS = frozenset(
    {
        "example",
        "sample",
        "dummy",
        "fake",
        "placeholder",
        "changeme",
        "replaceme",
        "your",
        "my",
        "here",
        "insert",
        "replace",
        "redacted",
        "todo",
        "fill",
    }
)
_FILLS = frozenset(
    {
        *(
            "api",
            "key",
            "keys",
            "token",
            "secret",
            "password",
            "pass",
            "user",
            "username",
            "name",
            "id",
            "access",
            "auth",
            "client",
            "app",
            "the",
            "a",
            "an",
            "with",
            "me",
            "it",
            "this",
            "value",
            "in",
            "put",
            "enter",
            "add",
            "change",
        ),
        *(
            "goes",
            "to",
            "of",
            "is",
            "some",
            "test",
            "foo",
            "bar",
            "baz",
            "real",
            "new",
            "db",
            "service",
            "account",
            "personal",
            "bearer",
        ),
    }
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_FILLER = re.compile(r"(.)\1{3,}")
_RUN = "abcdefghijklmnopqrstuvwxyz01234567890"
_LONGEST = 1000
_LEFT = 8
"""Characters beside a stand-in: an issuer's prefix, and no secret."""


def is_reference(value: str) -> bool:
    """Whether the value is elsewhere: a variable, a template, a path into a secret store, a field of a program."""
    return value.lower() in _NOTHING or (len(value) <= _LONGEST and _REFERENCE.fullmatch(value) is not None)


def is_call(value: str) -> bool:
    """`readToken(path)`. A password may look like that, a token does not."""
    return len(value) <= _LONGEST and _CALL.fullmatch(value) is not None


def is_file(value: str) -> bool:
    """A password may look like a path, a token does not."""
    return len(value) <= _LONGEST and _FILE.fullmatch(value) is not None


def is_object(value: str) -> bool:
    """`shop/web-tls`: an object of a cluster by namespace and name."""
    return len(value) <= _LONGEST and _OBJECT.fullmatch(value) is not None


def is_blank(value: str) -> bool:
    """Whether the value waits to be filled in: repeated characters, an alphabet, words that ask for it."""
    short = value[:200]
    filled = sum(len(match[0]) for match in _FILLER.finditer(short.lower()))
    rest = _FILLER.sub(" ", short.lower() if filled else short)
    words = [word.lower() for word in _WORD.findall(rest)]
    left = sum(len(word) for word in words if not _says_nothing(word))
    asks = any(word in _ASKS or _runs(word) for word in words)
    whole = sum(c.isalnum() or c in "*." for c in short)
    return bool(filled >= 4 or asks) and len(value) <= len(short) and left <= min(_LEFT, whole // 3)


def _says_nothing(word: str) -> bool:
    return word in _ASKS or word in _FILLS or _runs(word) or not word.strip("x") or word in {"123", "1234"}


def _runs(word: str) -> bool:
    """`abcdefghijkl` and so on."""
    return len(word) >= 10 and word in _RUN


def is_identifier(value: str) -> bool:
    """`s.getNamespaceFromContext`, which has the form of a token. Of 24 random letters, half would be capitals."""
    letters = value.rpartition(".")[2]
    return value.startswith("s.") and letters.isalpha() and sum(c.isupper() for c in letters) <= len(letters) // 4
