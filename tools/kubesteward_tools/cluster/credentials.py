"""Reading configurations with the `kubernetes` package, and saying in one sentence why one cannot be used.

Its loader reports a failing exec plugin to the root logger only and goes on without credentials; an API server then
takes the caller for nobody. So its words are caught here, redacted; of other errors only the type is told, for parsers
may quote what they were given.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from kubesteward_tools.errors import ClusterUnreachable, SteadyError
from kubesteward_tools.text.redact import redact

Header = tuple[str, str]

_Result = TypeVar("_Result")
_LONGEST_REASON = 200


class _Overheard(logging.Handler):
    """What the loader says in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.said.append(record.getMessage())


def load(cluster: str, kubeconfig: str | None, context: str | None) -> Any:
    """A `kubernetes.client.Configuration`; the in-cluster one where `context` is None. Takes seconds: not for the loop.

    Raises:
        ClusterUnreachable: why not, and what to do.
    """
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    overheard = _Overheard()
    logging.getLogger().addHandler(overheard)
    try:
        if context is None:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=kubeconfig, context=context, client_configuration=configuration
            )
    except ConfigException as error:
        raise unusable(cluster, str(error)) from None
    except Exception as error:  # noqa: BLE001 - parsers raise whatever they like, and may quote credentials
        raise unusable(cluster, type(error).__name__) from None
    finally:
        logging.getLogger().removeHandler(overheard)
    if overheard.said and not configuration.api_key and not configuration.cert_file:
        raise ClusterUnreachable(
            f"the credential plugin of {cluster!r} failed ({_short(overheard.said[-1])}).",
            todo="Log in again in a terminal (`kubectl get ns` runs the same plugin), then ask again.",
        )
    return configuration


def acts_as(cluster: str, kubeconfig: str | None, context: str | None) -> list[Header]:
    """The headers for `as`, `as-uid`, `as-groups` and `as-user-extra` of a context's user (client-go: AuthInfo), which
    the `kubernetes` package passes over (docs: "User impersonation"). Not for the loop.

    Raises:
        ClusterUnreachable: they are malformed, or name no user to act as.
    """
    if context is None:
        return []
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

    try:
        merged = KubeConfigMerger(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION).config  # type: ignore[no-untyped-call]
        name = merged["contexts"].get_with_name(context)["context"].safe_get("user")
        entry = merged["users"].get_with_name(name, safe=True) if name else None
        user = entry["user"].value if entry is not None else None
        found = _impersonating(user) if isinstance(user, dict) else []
    except (ConfigException, AttributeError, KeyError, TypeError, ValueError):
        raise unusable(cluster, "whom its user acts as (as, as-groups and the like) is not understood") from None
    if not all(text.isprintable() and text.strip() == text for pair in found for text in pair):
        raise unusable(cluster, "whom its user acts as has characters that no header has")
    return found


def _impersonating(user: Mapping[str, Any]) -> list[Header]:
    """Raises ValueError, AttributeError, TypeError where it is malformed."""
    name, uid = user.get("as") or "", user.get("as-uid") or ""
    groups, extra = user.get("as-groups") or [], user.get("as-user-extra") or {}
    given = [("Impersonate-Group", group) for group in groups]
    given += [("Impersonate-Uid", uid)] if uid else []
    given += [
        (f"Impersonate-Extra-{quote(key.lower(), safe='')}", item) for key, items in extra.items() for item in items
    ]
    if not all(isinstance(text, str) for text in (name, *(text for _, text in given))) or (given and not name):
        raise ValueError("no user to act as")
    return [("Impersonate-User", name), *given] if name else []


def unusable(cluster: str, why: str) -> ClusterUnreachable:
    return ClusterUnreachable(
        f"the configuration of {cluster!r} cannot be used ({_short(why)}).",
        todo="Try `kubectl --context NAME get --raw /version`: it shows what is wrong.",
    )


def _short(text: str) -> str:
    return redact(" ".join(text.split()))[:_LONGEST_REASON].rstrip(".")


async def in_background(function: Callable[[], _Result], cluster: str, seconds: float) -> _Result:
    """The result of a function that may hang, from a thread that does not keep the process from ending.

    Raises:
        ClusterUnreachable: it takes too long or fails.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # there is a result where there is no error

    def work() -> None:
        try:
            outcome: tuple[_Result | None, Exception | None] = function(), None
        except SteadyError as error:
            outcome = None, error
        except Exception as error:  # noqa: BLE001 - as above: nothing but the type may be told
            outcome = None, unusable(cluster, type(error).__name__)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=work, name=f"credentials of {cluster}", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):  # wait_for loses cancellations that meet a result (Python 3.11)
            return await future
    except TimeoutError:
        raise ClusterUnreachable(
            f"the credentials of {cluster!r} did not come within {seconds:.0f} s.",
            todo="A plugin may wait for a person: log in again in a terminal, then ask again.",
        ) from None
