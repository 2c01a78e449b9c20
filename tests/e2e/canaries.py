"""Secrets that can be told apart wherever they come out: whole, in pieces of 12 characters, or in another encoding.

Each is made of blocks of six characters that begin with `zQ` and occur in no other, so that one pass through a text
finds all of them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import hashlib
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote

Shape = Literal[
    "token", "password", "quoted", "jwt", "pem", "aws", "base64", "base64 pem", "base64 jwt", "url", "bearer"
]

_MARK, _BLOCK = "zQ", 6
_LETTERS = "abcdefghjkmnpqrstuvwxyABCDEFGHJKLMNPRSTUVWXY2345678"
_SYMBOLS = "!$%&;,#@:/+=?*~^|(<"
_QUOTES = "\"'\\!&"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LEAST = 12
"""Characters in a row that give a secret away."""

_RUN64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_RUN16 = re.compile(r"[0-9a-fA-F]{24,}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Canary:
    """`cores` are what nobody may learn; `name` says where `text`, which holds them, was planted."""

    name: str
    text: str
    cores: tuple[str, ...]


@dataclass
class Aviary:
    """Makes canaries and finds them again."""

    canaries: dict[str, Canary] = field(default_factory=dict)
    _blocks: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)

    def plant(self, where: str, shape: Shape) -> str:
        """A new secret of a shape, named by where it will stand. The same place gets the same one."""
        name = f"{where} [{shape}]"
        if name not in self.canaries:
            text, cores = _SHAPES[shape](_Source(name))
            self.canaries[name] = Canary(name, text, cores)
            for core in cores:
                self._register(name, core)
            self._digests |= {mark: name for value in {text, *cores} for mark in _plain_digests(value)}
        return self.canaries[name].text

    def _register(self, name: str, core: str) -> None:
        for at in range(len(core) - _BLOCK + 1):
            if core.startswith(_MARK, at):
                self._blocks[core[at : at + _BLOCK]] = (name, core, at)

    def found(self, text: str) -> set[str]:
        """Names of the canaries that a text gives away."""
        found: set[str] = set()
        for form in _forms(text):
            found |= set(self._in(form))
        found |= {
            name for name, item in self.canaries.items() for core in item.cores if core[:4] == "AKIA" and core in text
        }
        return found | {self._digests[mark] for mark in re.findall(r"[0-9a-f]{16}", text) if mark in self._digests}

    def _in(self, text: str) -> Iterator[str]:
        at = text.find(_MARK)
        while at >= 0:
            known = self._blocks.get(text[at : at + _BLOCK])
            if known is not None and _alike(text, at, known[1], known[2]) >= _LEAST:
                yield known[0]
            at = text.find(_MARK, at + 1)


def _alike(text: str, at: int, core: str, there: int) -> int:
    """How many characters around the block are the same."""
    before = 0
    while before < min(at, there) and text[at - before - 1] == core[there - before - 1]:
        before += 1
    after = 0
    while after < min(len(text) - at, len(core) - there) and text[at + after] == core[there + after]:
        after += 1
    return before + after


def _forms(text: str) -> Iterator[str]:
    """The text as it is, without escapes, and what base64 and hexadecimal digits in it stand for."""
    yield text
    plain = _ESCAPE.sub(_unescaped, text) if "\\" in text else text
    for form in (plain, unquote(text) if "%" in text else "", html.unescape(text) if "&" in text else ""):
        if form and form != text:
            yield form
    for number in _RUN64.findall(text):
        yield from _decoded(number)
    for number in _RUN16.findall(text):
        yield binascii.unhexlify(number[: len(number) // 2 * 2]).decode("latin-1")


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _SHORT.get(match[3], match[3])


def _decoded(run: str, depth: int = 2) -> Iterator[str]:
    """At every alignment, and once more what comes out: JWTs are base64 in base64."""
    plain = run.translate(str.maketrans("-_", "+/"))
    if plain.startswith("H4sI"):
        with contextlib.suppress(ValueError, OSError, EOFError):
            unpacked = gzip.decompress(base64.b64decode(f"{plain}===")).decode("latin-1")
            yield unpacked
            for inner in _RUN64.findall(unpacked):
                yield from _decoded(inner, depth - 1)
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) // 4 * 4]
        text = base64.b64decode(part).decode("latin-1") if part else ""
        yield text
        if depth > 1 and text.isascii():
            for inner in _RUN64.findall(text):
                yield from _decoded(inner, depth - 1)


def _plain_digests(value: str) -> Iterator[str]:
    """Beginnings of digests that anybody could check a guess with."""
    for data in (value.encode(), base64.b64encode(value.encode())):
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            yield hashlib.new(algorithm, data).hexdigest()[:16]


class _Source:
    """Characters that follow from a name."""

    def __init__(self, name: str) -> None:
        self._bits = int.from_bytes(hashlib.shake_256(name.encode()).digest(1024))

    def letters(self, alphabet: str, count: int) -> str:
        found = []
        for _ in range(count):
            self._bits, number = divmod(self._bits, len(alphabet))
            found.append(alphabet[number])
        return "".join(found)

    def blocks(self, count: int, symbols: str = "") -> str:
        def block() -> str:
            inner = self.letters(_LETTERS, 2) + self.letters(symbols, 1) if symbols else self.letters(_LETTERS, 3)
            return _MARK + inner + self.letters(_LETTERS, 1)

        return "".join(block() for _ in range(count))


_Made = tuple[str, tuple[str, ...]]


def _token(source: _Source) -> _Made:
    core = source.blocks(4)
    return core, (core,)


def _password(source: _Source) -> _Made:
    core = source.blocks(4, _SYMBOLS)
    return core, (core,)


def _quoted(source: _Source) -> _Made:
    core = source.blocks(4, _QUOTES)
    return core, (core,)


def _jwt(source: _Source) -> _Made:
    subject, signature = source.blocks(4), source.blocks(7)
    head, body = (_b64(text) for text in ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{subject}","exp":1999999999}}'))
    return f"{head}.{body}.{signature}", (subject, signature)


def _pem(source: _Source) -> _Made:
    lines = [source.blocks(10) for _ in range(6)]
    kind = "RSA PRIVATE " + "KEY"
    return f"-----BEGIN {kind}-----\n" + "\n".join(lines) + f"\n-----END {kind}-----\n", tuple(lines)


def _aws(source: _Source) -> _Made:
    identity, secret = "AKIA" + source.letters(_UPPER, 16), source.blocks(6) + source.letters(_LETTERS, 4)
    return f"aws_access_key_id = {identity}\naws_secret_access_key = {secret}", (identity, secret)


def _url(source: _Source) -> _Made:
    core, other = source.blocks(4), source.blocks(4, "!$&=;,")
    return f"postgres://app:{core}@db:5432/app?x=1 amqp://app:{quote(other)}@mq:5672", (core, other)


def _bearer(source: _Source) -> _Made:
    core = source.blocks(5)
    return f"Authorization: Bearer {core}", (core,)


def _encoded(shape: Callable[[_Source], _Made]) -> Callable[[_Source], _Made]:
    def made(source: _Source) -> _Made:
        text, cores = shape(source)
        return base64.b64encode(text.encode()).decode(), cores

    return made


def _b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_SHAPES: dict[Shape, Callable[[_Source], _Made]] = {
    "token": _token,
    "password": _password,
    "quoted": _quoted,
    "jwt": _jwt,
    "pem": _pem,
    "aws": _aws,
    "base64": _encoded(_token),
    "base64 pem": _encoded(_pem),
    "base64 jwt": _encoded(_jwt),
    "url": _url,
    "bearer": _bearer,
}
SHAPES: tuple[Shape, ...] = tuple(_SHAPES)
TELLING: tuple[Shape, ...] = ("jwt", "pem", "aws", "base64 pem", "base64 jwt", "url", "bearer")
"""Those that are recognised wherever they stand."""
