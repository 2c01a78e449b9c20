"""Which set of rules is in force. Every set that was ever used is kept under its digest, with who put it in force when;
going back to one is such a step too, and holds for as long as the same rules are configured.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from kubesteward.audit.log import AuditLog
from kubesteward.guardrails.sources import GuardrailsUnusable, rules_of
from kubesteward.store.store import Store
from kubesteward_policies.documents import Sources
from kubesteward_policies.rules import RuleSet, digest_of
from kubesteward_tools.errors import ObjectNotFound

_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One step: `digest` is the set in force since `at` (epoch seconds), `configured` the one in the files then."""

    number: int
    at: float
    digest: str
    configured: str
    how: str
    principal: str
    comment: str


class History:
    """The tables of one store."""

    def __init__(self, store: Store, audit: AuditLog) -> None:
        self._store = store
        self._audit = audit

    def in_force(self, configured: Sources, principal: str) -> RuleSet:
        """The rules that hold; a set that is new here is kept and written down first.

        Raises:
            GuardrailsUnusable: they do not compile. StoreUnusable: it cannot be written down.
        """
        wanted = digest_of(configured)
        last = self._last_of(wanted)
        if last is not None:
            return rules_of(configured if last.digest == wanted else self.sources(last.digest))
        found = rules_of(configured)
        self._enter(configured, Entry(0, time.time(), wanted, wanted, "loaded", principal, ""))
        return found

    def roll_back(self, to: str, principal: str, comment: str) -> Entry:
        """Put an earlier set in force again, by the beginning of its digest, instead of the one configured last.

        Servers on one store may be configured differently: this is said of those whose step was the last.

        Raises:
            ObjectNotFound: no such set, or several. GuardrailsUnusable: it does not compile in this version.
        """
        found = self.find(to)
        sources = self.sources(found)
        rules_of(sources)
        configured = self.entries()[0].configured
        entry = Entry(0, time.time(), found, configured, "rolled_back", principal, comment)
        self._enter(sources, entry)
        return entry

    def entries(self) -> list[Entry]:
        """The newest first."""
        return [Entry(*row) for row in self._rows("SELECT * FROM guardrail_history ORDER BY number DESC")]

    def _last_of(self, configured: str) -> Entry | None:
        query = "SELECT * FROM guardrail_history WHERE configured = ? ORDER BY number DESC LIMIT 1"
        rows = self._rows(query, configured)
        return Entry(*rows[0]) if rows else None

    def find(self, beginning: str) -> str:
        """The whole digest. Raises ObjectNotFound."""
        wanted = beginning.removeprefix("sha256:")
        known = [row["digest"] for row in self._rows("SELECT digest FROM guardrail_sets ORDER BY digest")]
        found = [item for item in known if item.removeprefix("sha256:").startswith(wanted)]
        if len(wanted) < _SHORTEST or len(found) != 1:
            why = f"{len(found)} sets of rules begin with {beginning!r}."
            raise ObjectNotFound(why, todo="`kubesteward policy history` lists them; give six digits or more.")
        return str(found[0])

    def sources(self, digest: str) -> Sources:
        """The texts of a set.

        Raises:
            GuardrailsUnusable: they are not there, or not what they were when they were kept.
        """
        rows = self._rows("SELECT sources FROM guardrail_sets WHERE digest = ?", digest)
        found = tuple((name, text) for name, text in json.loads(rows[0]["sources"])) if rows else ()
        if digest_of(found) != digest:
            why = f"the kept rules {digest[:19]} are not what was kept."
            raise GuardrailsUnusable(why, todo="Choose others with KUBESTEWARD_POLICIES.")
        return found

    def _enter(self, sources: Sources, new: Entry) -> None:
        """`new.number` is given by the table."""
        with self._store.transaction() as db:
            last = self._last_of(new.configured)
            if new.how == "loaded" and last is not None:
                return  # another process was quicker
            db.execute("INSERT OR IGNORE INTO guardrail_sets VALUES (?, ?)", (new.digest, json.dumps(sources)))
            db.execute(
                "INSERT INTO guardrail_history (at, digest, configured, how, principal, comment)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (new.at, new.digest, new.configured, new.how, new.principal, new.comment),
            )
            self._audit.append(
                {
                    "type": f"guardrails_{new.how}",
                    "principal": new.principal,
                    "rules": new.digest,
                    "before": last.digest if last else "",
                    "configured": new.configured,
                    "files": [name for name, _ in sources],
                    "comment": new.comment,
                }
            )

    def _rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        return self._store.db.execute(query, values).fetchall()
