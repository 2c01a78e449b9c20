"""What a simulated container answers to the few commands that it knows, from nothing but its pod and what that mounts.

No program runs here. What the pod's objects do not tell is not made up: any other program is not found.
"""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.world.store import Key, Object, Store

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DNS = "10.96.0.10"
_ROOT = ("/bin", "/dev", "/etc", "/proc", "/sys", "/tmp", "/usr", "/var")  # noqa: S108 - names in a simulated file system
NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed, and its exit code; `found` is False where there is no such program."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0
    found: bool = True


@dataclass(frozen=True, slots=True)
class Container:
    """One container of one pod."""

    store: Store
    pod: Object
    spec: dict[str, Any]

    def run(self, command: Sequence[str]) -> Output:
        """Programs are found by their name or by the usual paths to it."""
        program, *arguments = command
        folder, _, name = program.rpartition("/")
        if name not in _PROGRAMS or (folder and folder not in _PATH.split(":")):
            return Output(code=NOT_FOUND, found=False)
        return _PROGRAMS[name](self, arguments)

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def hostname(self) -> str:
        return str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])[:63]

    def files(self) -> dict[str, str]:
        """Text by path: what the kubelet writes into every container, and mounted ConfigMaps."""
        space, address = self.namespace, (self.pod.get("status") or {}).get("podIP", "")
        dns = self.store.get(Key("services", "kube-system", "kube-dns")) or {"spec": {}}
        search = f"{space}.svc.cluster.local svc.cluster.local cluster.local"
        found = {
            "/etc/hostname": f"{self.hostname}\n",
            "/etc/hosts": f"127.0.0.1\tlocalhost\n{address}\t{self.hostname}\n",
            "/etc/resolv.conf": (
                f"search {search}\nnameserver {dns['spec'].get('clusterIP') or _DNS}\noptions ndots:5\n"
            ),
        }
        for mount, volume in self.mounts():
            if name := (volume.get("configMap") or {}).get("name"):
                data = (self._object("configmaps", name) or {}).get("data") or {}
                found |= {posixpath.join(mount, key): str(text) for key, text in data.items()}
        if any(mount == _ACCOUNT for mount, _ in self.mounts()):
            found[f"{_ACCOUNT}/namespace"] = space
        return found

    def mounts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each path with its volume."""
        volumes = {volume["name"]: volume for volume in self.pod["spec"].get("volumes") or ()}
        for mount in self.spec.get("volumeMounts") or ():
            yield mount["mountPath"].rstrip("/"), volumes.get(mount["name"], {})

    def environment(self) -> Iterator[tuple[str, str]]:
        """Secrets' values too, as in any container: hiding them is for whoever asks."""
        yield "PATH", _PATH
        yield "HOSTNAME", self.hostname
        for item in self.spec.get("env") or ():
            source = item.get("valueFrom") or {}
            if "value" in item or not source:
                yield item["name"], str(item.get("value", ""))
            elif (value := self._from(source)) is not None:
                yield item["name"], value

    def _from(self, source: dict[str, Any]) -> str | None:
        if ref := source.get("configMapKeyRef"):
            value = ((self._object("configmaps", ref.get("name", "")) or {}).get("data") or {}).get(ref.get("key"))
            return None if value is None else str(value)
        if ref := source.get("secretKeyRef"):
            value = ((self._object("secrets", ref.get("name", "")) or {}).get("data") or {}).get(ref.get("key"))
            return None if value is None else base64.b64decode(value).decode("utf-8", "replace")
        return None

    def _object(self, resource: str, name: str) -> Object | None:
        return self.store.get(Key(resource, self.namespace, name))


def _hostname(container: Container, _: Sequence[str]) -> Output:
    return Output(f"{container.hostname}\n")


def _env(container: Container, arguments: Sequence[str]) -> Output:
    known = dict(container.environment())
    if not arguments:
        return Output("".join(f"{name}={value}\n" for name, value in known.items()))
    return Output(
        "".join(f"{known[name]}\n" for name in arguments if name in known), code=not known.keys() >= {*arguments}
    )


def _cat(container: Container, arguments: Sequence[str]) -> Output:
    files, paths = container.files(), [posixpath.normpath(item) for item in arguments]
    missing = "".join(f"cat: {path}: No such file or directory\n" for path in paths if path not in files)
    return Output("".join(files.get(path, "") for path in paths), missing, int(bool(missing)))


def _ls(container: Container, arguments: Sequence[str]) -> Output:
    files = container.files()
    known = {*files, *_ROOT, *(mount for mount, _ in container.mounts())}
    out, errors = "", ""
    for path in [posixpath.normpath(item) for item in arguments if not item.startswith("-")] or ["/"]:
        below = {
            item.removeprefix(path.rstrip("/") + "/").partition("/")[0]
            for item in known
            if item.startswith(path.rstrip("/") + "/")
        }
        if path in files:
            out += f"{path}\n"
        elif below or path in known:
            out += "".join(f"{name}\n" for name in sorted(below))
        else:
            errors += f"ls: {path}: No such file or directory\n"
    return Output(out, errors, int(bool(errors)))


def _df(container: Container, arguments: Sequence[str]) -> Output:
    """The node's disk by its capacity. Simulated containers write nothing."""
    node = container.store.get(Key("nodes", "", container.pod["spec"].get("nodeName", ""))) or {}
    blocks = int(parse(str(((node.get("status") or {}).get("capacity") or {}).get("ephemeral-storage", "0")))) // 1024
    human = "-h" in arguments
    size, none = (f"{blocks / 2**20:.1f}G", "0") if human else (str(blocks), "0")
    head = (
        f"Filesystem           {'Size' if human else '1K-blocks':>10} {'Used':>10} {'Available':>10} Use% Mounted on\n"
    )
    rows = ["/", *(mount for mount, _ in container.mounts())]
    return Output(head + "".join(f"{'overlay':<20} {size:>10} {none:>10} {size:>10}   0% {path}\n" for path in rows))


def _ps(container: Container, _: Sequence[str]) -> Output:
    """The one process that a container begins with."""
    words = [*(container.spec.get("command") or ()), *(container.spec.get("args") or ())]
    command = " ".join(words) or f"[entrypoint of {container.spec.get('image', '')}]"
    return Output(f"PID   USER     COMMAND\n    1 root     {command}\n")


_PROGRAMS: dict[str, Callable[[Container, Sequence[str]], Output]] = {
    "cat": _cat,
    "df": _df,
    "env": _env,
    "hostname": _hostname,
    "ls": _ls,
    "printenv": _env,
    "ps": _ps,
    "true": lambda *_: Output(),
    "false": lambda *_: Output(code=1),
    "sleep": lambda *_: Output(),
}
