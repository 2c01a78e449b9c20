"""All clusters that this process knows by name; each is connected when it is first asked for, and on its own."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward_tools.cluster.sets import Sets, choose, is_several
from kubesteward_tools.cluster.source import Source
from kubesteward_tools.errors import Forbidden, InvalidArguments, NotSynced, Refused, SteadyError, UnknownCluster
from kubesteward_tools.world.history import Limits
from kubesteward_tools.world.metrics.telemetry import Instruments
from kubesteward_tools.world.world import World

if TYPE_CHECKING:
    from kubesteward_tools.cluster.connection import Connection

IN_CLUSTER = "in-cluster"


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """`state` is "not connected", "connected" or the sentence that says why it is not."""

    name: str
    current: bool
    state: str
    server: str = ""


_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Clusters:
    """Worlds by cluster name."""

    def __init__(
        self,
        current: str,
        sources: Mapping[str, Source | None],
        kubeconfig: str | None = None,
        namespaces: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.current = current
        self._namespaces = namespaces or {}
        self._sources = dict(sources)
        self.instruments = Instruments()
        self.history = Limits()
        """For the worlds that are made from now on."""
        self.sets: Sets = {}
        self.homes: dict[str, str] = {}
        """The namespaces that contexts name for objects which name none."""
        self._kubeconfig = kubeconfig
        self._origin: Clusters | None = None
        self._who: tuple[str, ...] = ()
        self._connections: dict[str, Connection] = {}
        self._worlds: dict[str, World] = {}
        self._failures: dict[str, str] = {}
        self._reaching: dict[str, asyncio.Task[World]] = {}
        self._connecting: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    def of(cls, sources: Mapping[str, Source]) -> Clusters:
        return cls(next(iter(sources), ""), sources)

    @classmethod
    def from_bundle(cls, path: Path) -> Clusters:
        """One cluster, named like the folder or file. Raises InvalidArguments when it cannot be read."""
        from kubesteward_tools.cluster.bundle import load

        return cls.of({path.resolve().stem or "bundle": load(path)})

    @classmethod
    def from_kubeconfig(
        cls, kubeconfig: Path | None = None, context: str | None = None, namespaces: Sequence[str] = ()
    ) -> Clusters:
        """The contexts of a kubeconfig (default: $KUBECONFIG, then ~/.kube/config), or the pod's own cluster.

        `namespaces` are looked into where not all may be seen, besides the context's own.

        Raises:
            InvalidArguments: the file is missing or is no kubeconfig.
            UnknownCluster: there is no such context.
        """
        paths = [kubeconfig] if kubeconfig else _default_paths()
        found = [path for path in paths if path.exists()]
        if not found:
            if kubeconfig or os.environ.get("KUBECONFIG"):
                shown = ", ".join(map(str, paths))
                raise InvalidArguments(
                    f"there is no kubeconfig at {shown}.", todo="Set KUBECONFIG to one that is there."
                )
            if os.environ.get("KUBERNETES_SERVICE_HOST"):
                return cls(IN_CLUSTER, {IN_CLUSTER: None}, namespaces={IN_CLUSTER: (*namespaces, *_of_pod())})
            return cls("", {})
        names, current = _contexts(found)
        joined = os.pathsep.join(map(str, found))
        spaces = {name: (*namespaces, own) if own else namespaces for name, own in names.items()}
        clusters = cls(context or current or next(iter(names), ""), dict.fromkeys(names), joined, spaces)
        clusters.homes = {name: own for name, own in names.items() if own}
        if context is not None:
            clusters._check(context)
        return clusters

    def acting(self, user: str, groups: Sequence[str] = ()) -> Clusters:
        """The same clusters as `user` sees them: worlds of their own, over the same credentials.

        Raises:
            Refused: these are files, where nobody decides what a user may see.
        """
        if self._kubeconfig is None and IN_CLUSTER not in self._sources:
            raise Refused(
                "only API servers can be asked on behalf of a user.", todo="Serve files without impersonation."
            )
        made = Clusters(self.current, dict.fromkeys(self._sources), self._kubeconfig, self._namespaces)
        made._origin, made._who = self, (user, *groups)
        made.instruments, made.history = self.instruments, self.history
        made.sets, made.homes = self.sets, self.homes
        return made

    def names(self) -> list[str]:
        return sorted(self._sources)

    def choose(self, words: Sequence[str]) -> list[str]:
        """The clusters that names, patterns and sets (`@prod`) mean; every cluster for "*".

        Raises:
            UnknownCluster: there is no such set, or no cluster fits a pattern.
            InvalidArguments: they are too many to ask at a time.
        """
        return choose(words, self._sources, self.sets)

    def describe(self) -> list[ClusterInfo]:
        return [
            ClusterInfo(
                name, name == self.current, self._state(name), self._worlds[name].server if name in self._worlds else ""
            )
            for name in self.names()
        ]

    def _state(self, name: str) -> str:
        return "connected" if name in self._worlds else self._failures.get(name, "not connected")

    def _check(self, name: str) -> None:
        if name in self._sources:
            return
        if not self._sources:
            todo = "Set KUBECONFIG, or start with --embedded for a simulated cluster."
            raise UnknownCluster("no cluster is configured: there is no kubeconfig.", todo=todo)
        if is_several(name):
            raise UnknownCluster(f"there is no cluster {name!r}.", todo="Patterns and sets go into clusters=.")
        near = difflib.get_close_matches(name, self._sources, n=2, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(self.names()[:10])}."
        raise UnknownCluster(f"there is no cluster {name!r}.", todo=hint)

    async def world(self, name: str | None = None) -> World:
        """The world of a cluster, the current one by default; connects when it is asked for the first time.

        Raises:
            UnknownCluster: no such context. ClusterUnreachable: its configuration cannot be used.
        """
        name = name or self.current
        self._check(name)
        async with self._connecting[name]:
            if name not in self._worlds:
                try:
                    source = self._sources[name] or await self._connect(name)
                    made = await World.over(name, source, self.instruments)
                    made.history.limits = self.history
                    self._worlds[name] = made
                except SteadyError as error:
                    self._failures[name] = error.message
                    raise
                self._failures.pop(name, None)
        return self._worlds[name]

    async def reach(self, name: str, patience: float) -> World:
        """`world` within `patience` seconds; a connection that takes longer goes on and is there for a later question.

        Raises:
            UnknownCluster, ClusterUnreachable: as `world` does. NotSynced: the cluster takes longer.
        """
        task = self._reaching.get(name)
        if task is None:
            task = self._reaching[name] = asyncio.create_task(self.world(name), name=f"reach {name}")
            task.add_done_callback(lambda done: self._reached(name, done))
        await asyncio.wait({task}, timeout=patience)
        if not task.done():
            why = f"{name!r} has not answered within {patience:.0f} s."
            raise NotSynced(why, todo="Ask again; it is still being connected.")
        return task.result()

    def _reached(self, name: str, task: asyncio.Task[World]) -> None:
        del self._reaching[name]
        if not task.cancelled():
            task.exception()  # else asyncio complains where nobody waits any more

    async def _connect(self, name: str) -> Source:
        from kubesteward_tools.cluster.source import LiveSource

        connection = await self.connection(name)
        source = LiveSource(connection, self._namespaces.get(name, ()))
        try:
            await source.kinds()
        except BaseException as error:  # cancelled too: whoever gives up leaves no open session
            await source.close()
            if not isinstance(error, Forbidden):  # whoever tries again does so with what is configured then
                (self._origin or self)._connections.pop(name, None)
            raise
        self._sources[name] = source
        return source

    async def connection(self, name: str) -> Connection:
        """How to reach the API server of a context; its credentials are read once.

        Raises:
            UnknownCluster: no such context. ClusterUnreachable: its configuration cannot be used.
        """
        from kubesteward_tools.cluster.connection import connect

        if self._origin is not None:
            user, *groups = self._who
            return (await self._origin.connection(name)).acting(user, groups)
        self._check(name)
        async with self._reading[name]:
            if name not in self._connections:
                context = name if self._kubeconfig else None
                self._connections[name] = await connect(name, self._kubeconfig, context)
        return self._connections[name]

    async def close(self) -> None:
        """End every watch and session. Closing twice is harmless."""
        reaching = list(self._reaching.values())
        for task in reaching:
            task.cancel()
        await asyncio.gather(*reaching, return_exceptions=True)
        await asyncio.gather(*(world.close() for world in self._worlds.values()), return_exceptions=True)
        opened = [source for source in self._sources.values() if source is not None]
        await asyncio.gather(*(source.close() for source in opened), return_exceptions=True)


def _default_paths() -> list[Path]:
    named = os.environ.get("KUBECONFIG")
    if named:
        return [Path(item).expanduser() for item in named.split(os.pathsep) if item]
    return [Path.home() / ".kube" / "config"]


def _of_pod() -> list[str]:
    """The namespace that the server itself runs in."""
    try:
        return [_POD_NAMESPACE.read_text("utf-8").strip()]
    except OSError:
        return []


def _contexts(paths: list[Path]) -> tuple[dict[str, str], str]:
    """Names of all contexts with their namespaces ("": none), and the current one.

    Read here, for listing names needs no Kubernetes client.
    """
    import yaml

    names, current = dict[str, str](), ""
    for path in paths:
        try:
            config = yaml.safe_load(path.read_text("utf-8")) or {}
            for item in config.get("contexts") or ():
                names.setdefault(str(item["name"]), str((item.get("context") or {}).get("namespace") or ""))
            current = current or config.get("current-context") or ""
        except OSError as error:
            raise InvalidArguments(
                f"{path} cannot be read ({error.strerror}).", todo="Check its permissions."
            ) from None
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, UnicodeDecodeError):
            raise InvalidArguments(
                f"{path} is no kubeconfig.", todo="`kubectl config view` shows what is wrong."
            ) from None
    return names, current
