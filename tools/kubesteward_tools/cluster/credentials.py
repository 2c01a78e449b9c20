"""Reading configurations with the `kubernetes` package, and saying in one sentence why one cannot be used.

Its loader reports a failing exec plugin to the root logger only and goes on without credentials; an API server then
takes the caller for nobody. So its words are caught here, redacted; of other errors only the type is told, for parsers
may quote what they were given.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from kubesteward_tools.errors import ClusterUnreachable, SteadyError
from kubesteward_tools.text.redact import redact

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
