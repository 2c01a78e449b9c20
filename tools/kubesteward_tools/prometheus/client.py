"""Prometheus' HTTP API, read only: GET /api/v1/query and /api/v1/query_range, and nothing else.

API doc: prometheus.io/docs/prometheus/latest/querying/api. Thanos, Mimir and VictoriaMetrics speak it too.
"""

from __future__ import annotations

import asyncio
import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kubesteward_tools.errors import AskAgain, AskDifferently, InvalidArguments, SteadyError, Unauthorized
from kubesteward_tools.outgoing import Outgoing, read, unanswered
from kubesteward_tools.prometheus.addresses import parted, shown
from kubesteward_tools.prometheus.expressions import Expression, expressions, name_of
from kubesteward_tools.text.fence import clean
from kubesteward_tools.world.metrics.readings import Name, Question, Reading
from kubesteward_tools.world.metrics.samples import Points

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 15.0
LARGEST = 32 * 2**20
"""Bytes of an answer."""

STEPS = 120
"""Moments in a stretch of time."""

SHORTEST_STEP = 15
_CHECK = "Check KUBESTEWARD_PROMETHEUS_URL."


class Prometheus:
    """One server, for one cluster. `token` is sent as a bearer token, or user and password of the address are.

    `plain` lets it be asked without encryption where others may listen.
    """

    def __init__(self, address: str, token: str = "", *, plain: bool = False) -> None:
        """Raises InvalidArguments for an address that is never called, and for a token that can be no header."""
        self.name = f"Prometheus at {shown(address)}"
        self._address, credentials = parted(address)
        self._outgoing = Outgoing(self._address, plain)
        self._headers = {"Accept": "application/json"} | _authorization(token.strip(), credentials)
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def read(self, question: Question) -> Reading:
        """`kubesteward_tools.world.metrics.readings.Monitor`."""
        asked = expressions(question)
        if not asked:
            raise AskDifferently(f"{question.query} of {question.level} is nothing that {self.name} is asked for.")
        for expression in asked:
            data = await self._values(expression.text, question)
            series = _series(data, question)
            if series:
                as_of, warnings = await self._newest(expression, question), data.get("warnings") or ()
                said = [f"{self.name} warns: {clean(str(item), 200)}" for item in list(warnings)[:3]]
                return Reading(self.name, as_of, series, tuple(said))
        metrics = ", ".join(name for expression in asked for name in expression.metrics)
        raise AskDifferently(f"{self.name} holds none of {metrics} for what was asked.", todo=_exporter(metrics))

    async def version(self) -> str:
        """Of the server, by the metric that it keeps of itself; "" where it keeps none.

        Raises:
            SteadyError: it cannot be queried.
        """
        found = _result(await self._get("query", {"query": "prometheus_build_info"}), self.name)
        return next((clean(item["metric"].get("version", ""), 40) for item in found), "")

    async def _values(self, expression: str, question: Question) -> Any:
        if question.latest:
            return await self._get("query", {"query": expression, "time": f"{question.end:.3f}"})
        step = max(SHORTEST_STEP, math.ceil((question.end - question.start) / STEPS))
        stretch = {"start": f"{question.start:.3f}", "end": f"{question.end:.3f}", "step": str(step)}
        return await self._get("query_range", {"query": expression, **stretch})

    async def _newest(self, expression: Expression, question: Question) -> float:
        """When the newest sample was taken: the values are computed from samples of up to 5 minutes before."""
        data = await self._get("query", {"query": expression.newest, "time": f"{question.end:.3f}"})
        times = [points[-1][1] for item in _result(data, self.name) if (points := _points(item))]
        return max(times, default=question.end)

    async def _get(self, what: str, query: Mapping[str, str]) -> Any:
        """The answer's JSON.

        Raises:
            AskAgain, AskDifferently, Unauthorized: in one sentence without the query.
        """
        import aiohttp

        session, url = self._open(), f"{self._address}/api/v1/{what}"
        try:
            # Redirections are not followed: the token goes to the address that was configured.
            asking = session.get(
                url, params=query, headers=self._headers, proxy=self._outgoing.proxy, allow_redirects=False
            )
            async with asking as response:
                body = await read(response, LARGEST)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            found = unanswered(self.name, error)
            raise type(found)(found.message, todo=found.todo or _CHECK) from None
        if len(body) > LARGEST:
            raise AskDifferently(f"the answer of {self.name} is too large.", todo="Ask for a namespace or a workload.")
        return await asyncio.to_thread(_decoded, response.status, body, self.name)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            limits = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=READ_TIMEOUT)
            self._session = self._outgoing.session(timeout=limits)
        return self._session


def _authorization(token: str, credentials: str) -> dict[str, str]:
    if not token.isprintable() or not token.isascii():
        todo = "Set it to the token alone, in one line."
        raise InvalidArguments("KUBESTEWARD_PROMETHEUS_TOKEN has characters that no token has.", todo=todo)
    if token:
        return {"Authorization": f"Bearer {token}"}
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"} if credentials else {}


def _decoded(status: int, body: bytes, name: str) -> Any:
    """The JSON of a success. Raises a SteadyError that fits anything else."""
    if status in {401, 403}:
        todo = "Set KUBESTEWARD_PROMETHEUS_TOKEN to a bearer token that it takes."
        raise Unauthorized(f"{name} does not accept the credentials (HTTP {status}).", todo=todo)
    if 300 <= status < 400:
        raise AskDifferently(f"{name} answered with a redirection, which is not followed.", todo=_CHECK)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and data.get("status") == "success" and isinstance(data.get("data"), dict):
        return data
    if isinstance(data, dict) and data.get("status") == "error":
        raise _refused(status, data, name)
    if status >= 500:
        raise AskAgain(f"{name} answered: HTTP {status}.", todo="Ask again in a moment.")
    raise AskDifferently(f"what answers as {name} does not speak Prometheus' API (HTTP {status}).", todo=_CHECK)


def _refused(status: int, data: Mapping[str, Any], name: str) -> SteadyError:
    why = " ".join(clean(str(data.get("error") or f"HTTP {status}"), 200).split()).rstrip(".")
    kind: type[SteadyError] = AskDifferently if status in {400, 422} else AskAgain
    return kind(f"{name} refused: {why}.", todo="Ask for less: a namespace, or a shorter time_window.")


def _result(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The series of an answer, each with its labels in `metric`."""
    found = data["data"].get("result")
    if not isinstance(found, list):
        raise AskDifferently(f"what answers as {name} does not speak Prometheus' API.", todo=_CHECK)
    series = (item for item in found if isinstance(item, dict) and isinstance(item.get("metric"), dict))
    return [{**item, "metric": {str(key): str(value) for key, value in item["metric"].items()}} for item in series]


def _series(data: Mapping[str, Any], question: Question) -> dict[Name, Points]:
    """By what they are of, in the order of labels; a second one of the same is another exporter's and left out."""
    found: dict[Name, Points] = {}
    for item in sorted(_result(data, "Prometheus"), key=lambda item: sorted(item["metric"].items())):
        name, points = name_of(item["metric"], question), _points(item)
        if name is not None and points:
            found.setdefault(name, points)
    return found


def _points(item: Mapping[str, Any]) -> Points:
    """Of a vector's or a matrix's element; NaN and infinities say nothing."""
    pairs: Iterable[Any] = item.get("values") or [item.get("value")]
    found = []
    for pair in pairs:
        try:
            at, value = pair
            found.append((float(at), float(value)))
        except (TypeError, ValueError):
            continue
    return [pair for pair in found if math.isfinite(pair[1])]


_EXPORTERS = {
    "container_": "the kubelets' cAdvisor (/metrics/cadvisor)",
    "kube_": "kube-state-metrics",
    "node_": "node-exporter",
    "DCGM_": "the DCGM exporter",
    "kubelet_": "the kubelets",
    "http_": "the pods' own metrics",
}


def _exporter(metrics: str) -> str:
    names = [said for prefix, said in _EXPORTERS.items() if any(one.startswith(prefix) for one in metrics.split(", "))]
    return f"Have it scrape {' or '.join(names)}."
