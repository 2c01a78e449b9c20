"""Which brains the operator has set up, and who wants which for what: kept in the store, without any key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from kubesteward.reasoning.brains.base import BrainMisconfigured, Json
from kubesteward.store.store import Store

Kind = Literal["anthropic", "openai", "openai-compatible", "ollama"]
Role = Literal["scanner", "solver", "chat"]
KINDS: tuple[str, ...] = get_args(Kind)
ROLES: tuple[str, ...] = get_args(Role)
EFFORTS = ("", "low", "medium", "high")
BUILT_IN = "builtin"
"""The name of the brain that needs no set-up."""
EVERYBODY, EVERYTHING = "", ""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class Setup:
    """One brain. `key` is where its key is (`env:NAME`, `keychain:NAME`, `file:PATH`), "" where it needs none.

    `private`: its address may be, and has to be, on a private network.
    """

    name: str
    kind: str
    model: str
    url: str
    key: str = ""
    private: bool = False
    effort: str = ""

    def to_json(self) -> Json:
        return asdict(self)

    def check(self) -> None:
        """Raises BrainMisconfigured where a field cannot be right."""
        if not _NAME.fullmatch(self.name) or self.name == BUILT_IN:
            todo = f"Use a few lower-case letters, digits, dots and dashes, and another one than {BUILT_IN}."
            raise BrainMisconfigured("The name of the brain cannot be used.", todo)
        if self.kind not in KINDS:
            raise BrainMisconfigured("There is no such kind of brain.", f"Choose one of {', '.join(KINDS)}.")
        if not self.model or not self.model.isprintable() or len(self.model) > 200:
            raise BrainMisconfigured("The brain needs a model.", "Name one with --model.")
        if self.effort not in EFFORTS:
            raise BrainMisconfigured("There is no such effort.", "Choose low, medium or high, or leave it away.")


@dataclass(frozen=True, slots=True)
class Choice:
    """The names of brains, the first that answers; `may_leave`: also from a local one to one that is not."""

    brains: tuple[str, ...]
    may_leave: bool = False


Note = Callable[[str, Mapping[str, object]], object]


def _unheard(_kind: str, _what: Mapping[str, object]) -> None:
    """Nobody keeps a log of it."""


class Setups:
    """Raises StoreUnusable where the store cannot be written."""

    def __init__(self, store: Store, note: Note = _unheard) -> None:
        """`note` hears of each change, in the transaction that makes it."""
        self._store = store
        self._note = note

    def all(self) -> tuple[Setup, ...]:
        rows = self._store.db.execute("SELECT body FROM brains ORDER BY added, name").fetchall()
        return tuple(Setup(**json.loads(row["body"])) for row in rows)

    def get(self, name: str) -> Setup:
        """Raises BrainMisconfigured where there is none; says which there are."""
        found = {setup.name: setup for setup in self.all()}
        if name not in found:
            known = ", ".join(found) or "none yet"
            raise BrainMisconfigured(
                f"There is no brain {name!r}.", f"Those set up: {known}; see `kubesteward brain add`."
            )
        return found[name]

    def add(self, setup: Setup) -> None:
        """Also in place of the one of the same name. Raises BrainMisconfigured where a field cannot be right."""
        setup.check()
        with self._store.transaction() as db:
            row = db.execute("SELECT added FROM brains WHERE name = ?", (setup.name,)).fetchone()
            last = db.execute("SELECT COALESCE(MAX(added), 0) FROM brains").fetchone()[0]
            added = row["added"] if row else last + 1
            body = json.dumps(setup.to_json())
            db.execute("INSERT OR REPLACE INTO brains (name, added, body) VALUES (?, ?, ?)", (setup.name, added, body))
            self._note("brain_set", setup.to_json())

    def remove(self, name: str) -> Setup:
        """Also from everybody's choice. Raises BrainMisconfigured where there is none."""
        with self._store.transaction() as db:
            found = self.get(name)
            db.execute("DELETE FROM brains WHERE name = ?", (name,))
            for row in db.execute("SELECT principal, role, brains, may_leave FROM brain_choices").fetchall():
                names = tuple(other for other in json.loads(row["brains"]) if other != name)
                self._put(row["principal"], row["role"], Choice(names, bool(row["may_leave"])))
            self._note("brain_removed", found.to_json())
        return found

    def choose(self, principal: str, role: str, choice: Choice) -> None:
        """For one principal or EVERYBODY, for one role or EVERYTHING. Without names the choice is taken back.

        Raises:
            BrainMisconfigured: there is no such brain or role.
        """
        if role not in {*ROLES, EVERYTHING}:
            raise BrainMisconfigured("There is no such role.", f"Choose one of {', '.join(ROLES)}.")
        for name in choice.brains:
            if name != BUILT_IN:
                self.get(name)
        told = {"principal": principal, "role": role, "brains": list(choice.brains), "may_leave": choice.may_leave}
        with self._store.transaction():
            self._put(principal, role, choice)
            self._note("brain_chosen", told)

    def chosen(self, principal: str, role: str) -> Choice | None:
        """What a principal wants for a role: their own choice before everybody's, one for the role before any other."""
        for who in dict.fromkeys((principal, EVERYBODY)):
            for what in dict.fromkeys((role, EVERYTHING)):
                query = "SELECT brains, may_leave FROM brain_choices WHERE principal = ? AND role = ?"
                row = self._store.db.execute(query, (who, what)).fetchone()
                if row is not None:
                    return Choice(tuple(json.loads(row["brains"])), bool(row["may_leave"]))
        return None

    def choices(self) -> list[tuple[str, str, Choice]]:
        """All of them: principal, role, choice."""
        rows = self._store.db.execute("SELECT * FROM brain_choices ORDER BY principal, role").fetchall()
        return [
            (row["principal"], row["role"], Choice(tuple(json.loads(row["brains"])), bool(row["may_leave"])))
            for row in rows
        ]

    def _put(self, principal: str, role: str, choice: Choice) -> None:
        db = self._store.db
        if not choice.brains:
            db.execute("DELETE FROM brain_choices WHERE principal = ? AND role = ?", (principal, role))
            return
        values = (principal, role, json.dumps(choice.brains), int(choice.may_leave))
        db.execute("INSERT OR REPLACE INTO brain_choices VALUES (?, ?, ?, ?)", values)
