"""The dead man's switch: every reason for which KubeSteward goes into safe mode, in which it reads and changes nothing.

One function for each reason, in `TRIGGERS`. Nothing is remembered of a reason that has gone: each look is a new one.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from kubesteward.audit.checkpoint import PRIVATE, PUBLIC, Signer, public_key
from kubesteward.audit.log import AuditLog
from kubesteward.gate.switch import REMEDY, Switch
from kubesteward.store.store import Store, StoreUnusable
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import TWIN_RESOURCES, World

MAX_STALENESS = 30.0
"""Seconds for which a watch may be broken, of what a rehearsal needs."""
TOUCHED_STALENESS = 15.0
"""The same, of what the change touches."""
LEAST_FREE = 64 * 2**20
"""Bytes on the store's disk."""
MAX_BACKWARDS = 30.0
MAX_SKEW = 60.0
"""Seconds between this clock and the API server's."""
MAX_UNSENT = 300.0
"""Seconds for which the anchor's webhook may take nothing."""
LATELY = 3600.0
MOST_MISSES = 3
ASK_VERSION_AFTER = 60.0
SETTLING = 600.0
"""Seconds for which an API server of another version is left alone: its colleagues may still be the old one."""

_RECENT = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """One reason. `alone` says that it stops only what would run without a person."""

    rule: str
    reason: str
    remedy: str
    alone: bool = False

    @property
    def sentence(self) -> str:
        kept = "no change runs without a person" if self.alone else "nothing is changed"
        return f"safe mode, {kept}: {self.reason} [{self.rule}]"


@dataclass(slots=True)
class _Server:
    """An API server as it was first seen: the UID of kube-system stands for the cluster's identity."""

    uid: str = ""
    version: str = ""
    asked: float = -ASK_VERSION_AFTER
    changed: float | None = None
    before: str = ""


class Pulse:
    """What the triggers look at, and what they have to remember: keys and servers as they were first seen."""

    def __init__(self, store: Store, audit: AuditLog) -> None:
        self.store = store
        self.audit = audit
        self.switch = Switch(store)
        self.key_seen: tuple[tuple[int, ...], str] | None = None
        self.servers: dict[str, _Server] = {}

    @property
    def folder(self) -> Path:
        return self.store.path.parent

    async def troubles(self, world: World | None = None, touched: Collection[str] = ()) -> tuple[Trouble, ...]:
        """All that is wrong now, the gravest kind first; `touched` are resources that a change is about."""
        found = [await trigger(self, world, touched) for trigger in TRIGGERS]
        return tuple(item for item in found if item is not None)

    async def trouble(self, world: World, touched: Collection[str]) -> Trouble | None:
        """The first one that stops a change, else one that stops what runs alone."""
        kept = None
        for trigger in TRIGGERS:
            found = await trigger(self, world, touched)
            if found is not None and not found.alone:
                return found
            kept = kept or found
        return kept


async def stopped(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """Somebody pulled the emergency stop; ends with `kubesteward resume`."""
    try:
        found = pulse.switch.engaged()
    except StoreUnusable as error:
        return Trouble("liveness.store", error.message, error.todo)
    return Trouble("liveness.stopped", found.sentence, REMEDY) if found else None


async def unwritable(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """It could not be written down what happens."""
    try:
        pulse.store.probe()
    except StoreUnusable as error:
        return Trouble("liveness.store", error.message, error.todo)
    return None


async def disk_full(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """The outcome of what is begun now could find no room."""
    try:
        free = shutil.disk_usage(pulse.folder).free
    except OSError as error:
        return Trouble("liveness.disk", f"the store's disk cannot be looked at ({error.strerror})", "Look at the disk.")
    if free >= LEAST_FREE:
        return None
    return Trouble("liveness.disk", f"only {free // 2**20} MiB are free on the store's disk", "Free some space.")


async def key_gone(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """A log signed by two keys proves nothing."""
    private = pulse.folder / PRIVATE
    remedy = f"Put {PRIVATE} back as it was; until then this server only reads."
    try:
        found = private.stat()
    except FileNotFoundError:
        if pulse.key_seen is None and not (pulse.folder / PUBLIC).exists():
            return None  # the first record will make it
        return Trouble("liveness.key", "the audit log's signing key is gone", remedy)
    except OSError as error:
        return Trouble("liveness.key", f"the audit log's signing key cannot be read ({error.strerror})", remedy)
    mark = (found.st_ino, found.st_mtime_ns, found.st_size)
    if pulse.key_seen is None or pulse.key_seen[0] != mark:
        try:
            public = Signer(pulse.folder).public
        except StoreUnusable as error:
            return Trouble("liveness.key", error.message, remedy)
        if public != public_key(pulse.folder) or (pulse.key_seen is not None and pulse.key_seen[1] != public):
            return Trouble("liveness.key", "the audit log's signing key was replaced", remedy)
        pulse.key_seen = mark, public
    return None


async def audit_broken(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """The chain, its signatures, or the anchor."""
    found = await pulse.audit.intact()
    if found.ok and pulse.audit.unsent > MAX_UNSENT:
        reason = f"the audit log's webhook has taken no checkpoint for {pulse.audit.unsent:.0f} s"
        return Trouble("liveness.anchor", reason, "Make it reachable again; until then this server only reads.")
    if found.ok:
        return None
    if found.field == "anchor":
        remedy = "Make the anchor reachable again; until then this server only reads."
        return Trouble("liveness.anchor", f"the audit log is not anchored: {found.reason}", remedy)
    remedy = "Run `kubesteward audit verify`; until the log is sound this server only reads."
    return Trouble("liveness.audit", f"the audit log is broken: {found.reason}", remedy)


async def clock_back(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """Approvals would live longer than they were given for. Ends when the time comes again, or with `resume`."""
    query = (
        "SELECT max(json_extract(record, '$.at')) FROM audit WHERE seq > (SELECT coalesce(max(seq), 0) FROM audit"
        " WHERE seq > :recent AND json_extract(record, '$.type') = 'resumed') AND seq > :recent"
    )
    try:
        head = pulse.store.db.execute("SELECT seq FROM audit_head WHERE id = 1").fetchone()
        newest = pulse.store.db.execute(query, {"recent": (head[0] if head else 0) - _RECENT}).fetchone()[0]
    except sqlite3.Error as error:
        return Trouble("liveness.store", f"the audit log cannot be read ({error})", "Look at the store.")
    behind = (newest or 0.0) - time.time()
    if behind <= MAX_BACKWARDS:
        return None
    remedy = "Set the clock. If it is right now, `kubesteward resume` says so."
    return Trouble("liveness.clock", f"the clock is {behind:.0f} s behind the newest audit record", remedy)


async def clock_apart(_: Pulse, world: World | None, __: Collection[str]) -> Trouble | None:
    """Expiries and the order of events would mean something else there."""
    skew = world.skew if world is not None else None
    if skew is None or abs(skew) <= MAX_SKEW:
        return None
    reason = f"the clocks of this machine and of {_name(world)} are {abs(skew):.0f} s apart"
    return Trouble("liveness.skew", reason, "Set the clock that is wrong.")


async def stale(_: Pulse, world: World | None, touched: Collection[str]) -> Trouble | None:
    """The change would be judged on what is no more."""
    if world is None:
        return None
    limits = ((TOUCHED_STALENESS, tuple(touched)), (MAX_STALENESS, (*TWIN_RESOURCES, *touched)))
    for limit, resources in limits:
        age = world.staleness(*resources) if resources else 0.0
        if age > limit:
            reason = f"the view of {_name(world)} is {age:.0f} s old"
            return Trouble("liveness.stale", reason, "Wait until the API server answers again.")
    return None


async def replaced(pulse: Pulse, world: World | None, _: Collection[str]) -> Trouble | None:
    """Another cluster answers under this name, or was restored from a backup."""
    if world is None or not world.writable:
        return None
    facts = world.store.facts(Key("namespaces", "", "kube-system"))
    uid, known = facts.uid if facts is not None else "", _server(pulse, world)
    known.uid = known.uid or uid
    if not uid or uid == known.uid:
        return None
    reason = f"{_name(world)} is another cluster than before (its kube-system has another UID)"
    return Trouble("liveness.identity", reason, "Start the server anew once that is meant.")


async def upgraded(pulse: Pulse, world: World | None, _: Collection[str]) -> Trouble | None:
    """What was learnt of an API server need not hold for its next version."""
    if world is None or not world.writable:
        return None
    known, now = _server(pulse, world), time.monotonic()
    if now - known.asked >= ASK_VERSION_AFTER:
        known.asked = now
        try:
            version = await world.version()
        except SteadyError:
            return None  # a server that does not answer makes the world stale
        if known.version and version != known.version:
            known.before, known.changed = known.version, now
        known.version = version
    if known.changed is None or now - known.changed > SETTLING:
        return None
    reason = f"{_name(world)} has gone from {known.before} to {known.version} just now"
    return Trouble("liveness.version", reason, f"Wait {SETTLING / 60:.0f} minutes, until the upgrade is over.")


async def failing(pulse: Pulse, _: World | None, __: Collection[str]) -> Trouble | None:
    """Somebody has to look before more is done that nobody looks at."""
    query = (
        "SELECT count(*) FROM actions WHERE created > ? AND status IN ('failed', 'unknown', 'executed')"
        " AND json_extract(body, '$.intended') AND (status <> 'executed' OR json_extract(body, '$.verified') = 0"
        " OR json_array_length(body, '$.misses') > 0)"
    )
    try:
        count = pulse.store.db.execute(query, (time.time() - LATELY,)).fetchone()[0]
    except sqlite3.Error as error:
        return Trouble("liveness.store", f"the store cannot be read ({error})", "Look at the store.")
    if count < MOST_MISSES:
        return None
    reason = f"{count} changes of the last hour failed or did not go as rehearsed"
    return Trouble("liveness.failing", reason, "Look at them with `kubesteward actions`.", alone=True)


Trigger = Callable[[Pulse, World | None, Collection[str]], Awaitable[Trouble | None]]

TRIGGERS: tuple[Trigger, ...] = (
    stopped,
    unwritable,
    disk_full,
    key_gone,
    audit_broken,
    clock_back,
    clock_apart,
    stale,
    replaced,
    upgraded,
    failing,
)
"""Those that no world is needed for come first."""


def _server(pulse: Pulse, world: World) -> _Server:
    return pulse.servers.setdefault(world.cluster, _Server())


def _name(world: World | None) -> str:
    return repr(world.cluster) if world is not None else ""
