"""Who may look and decide: a link that works once, sessions behind a cookie, and forms bound to what they show.

Only digests of secrets are kept. All of it is in memory: ending the page ends its sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubesteward.gate.action import Action

TICKET_SECONDS = 600.0
SESSION_SECONDS = 12 * 3600.0
_SESSIONS = 16
"""The oldest ends when one more begins."""
_REMEMBERED = 32
"""Actions as they were shown, for each session: so that a late answer can be told what has changed."""

KEYED = "token:"
"""How the name of somebody begins who came in with a token of their own."""

Clock = Callable[[], float]


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(slots=True)
class Session:
    """`principal` is who decides. `shown` are actions as this person saw them last, by digest."""

    principal: str
    began: float
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    shown: OrderedDict[str, Action] = field(default_factory=OrderedDict)

    def seal(self, purpose: str, bound_to: str = "") -> str:
        """The token of one form: of this session, for one purpose, about one thing."""
        return hmac.new(self.key, f"{purpose}\n{bound_to}".encode(), "sha256").hexdigest()

    def sealed(self, token: str, purpose: str, bound_to: str = "") -> bool:
        return hmac.compare_digest(token.encode(), self.seal(purpose, bound_to).encode())

    def remember(self, action: Action) -> None:
        self.shown[action.digest] = action
        self.shown.move_to_end(action.digest)
        while len(self.shown) > _REMEMBERED:
            self.shown.popitem(last=False)


class Ticket:
    """The secret of the link that a terminal prints: good once, and not for long."""

    def __init__(self, principal: str, clock: Clock) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._principal = principal
        self._clock = clock
        self._digest: bytes | None = digest(self.secret)
        self._until = clock() + TICKET_SECONDS

    def use(self, secret: str) -> str | None:
        """The principal, or None where it is another secret, was used, or came too late."""
        known = self._digest
        if known is None or not hmac.compare_digest(known, digest(secret)) or self._clock() > self._until:
            return None
        self._digest, self.secret = None, ""
        return self._principal


class Keys:
    """Tokens of people who may decide from elsewhere: `principals` by token."""

    def __init__(self, principals: Mapping[str, str]) -> None:
        self._principals = {digest(token): f"{KEYED}{name}" for token, name in principals.items()}

    def __bool__(self) -> bool:
        return bool(self._principals)

    def principal(self, token: str) -> str | None:
        given, found = digest(token), None
        for known, name in self._principals.items():
            if hmac.compare_digest(known, given):
                found = name
        return found


class Sessions:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, principal: str) -> str:
        """The value of the cookie."""
        cookie = secrets.token_urlsafe(32)
        self._open[digest(cookie)] = Session(principal, self._clock())
        while len(self._open) > _SESSIONS:
            self._open.popitem(last=False)
        return cookie

    def find(self, cookie: str) -> Session | None:
        found = self._open.get(digest(cookie))
        if found is None or self._clock() - found.began > SESSION_SECONDS:
            self._open.pop(digest(cookie), None)
            return None
        return found

    def end(self, cookie: str) -> None:
        self._open.pop(digest(cookie), None)
