"""Certificates and the day on which they end. Nothing is fitted: the date is in them.

Read are TLS Secrets (their dates are noted when they are reduced), the authorities that webhooks, APIServices and
ConfigMaps name, issued CertificateSigningRequests, and cert-manager's Certificates by their status.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kubesteward_tools.analytics.lines import Crossing
from kubesteward_tools.analytics.trend import Trend
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.forecasting.subjects import Forecast, Gathered, Subject
from kubesteward_tools.lookup.paced import each, turns
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.certificates import Certificate, certificates, of_secret
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

MANAGED = "certificates.cert-manager.io"
_HOOKS = (
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
)
_SERVICES = "apiservices.apiregistration.k8s.io"
_REQUESTS = "certificatesigningrequests.certificates.k8s.io"
KINDS = ("secrets", "configmaps", *_HOOKS, _SERVICES, _REQUESTS, MANAGED)
_DAY = 86400.0
_BY = "cert-manager.io/certificate-name"
_ANYWHERE = (*_HOOKS, _SERVICES, _REQUESTS)

Found = tuple[Object, str, list[Certificate]]


async def dated(world: World, namespace: str, now: float, horizon: float, only: Object | None = None) -> Gathered:
    """Forecasts of every certificate that is seen, or of those that one object holds."""
    served = [kind for kind in KINDS if any(item.resource == kind for item in world.kinds.all())]
    gathered = Gathered()
    try:
        await world.ensure(*served, namespace=namespace)
    except SteadyError as error:
        gathered.missing.append(f"certificates: {error}")
        return gathered
    objects = [only] if only is not None else await _objects(world, served, namespace)
    managed = {_secret_of(item): item for item in objects if _is_managed(item)}
    async for obj, part, held in turns(_held(item for item in objects if not _is_managed(item))):
        by = managed.get((obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        if held and by is None:
            gathered.forecasts.append(_forecast(obj, part, held, now=now, horizon=horizon))
    gathered.forecasts += [made for item in managed.values() if (made := _of_managed(item, now, horizon))]
    gathered.looked.append(f"{len(gathered.forecasts)} certificates: {_said(gathered.forecasts, horizon)}")
    return gathered


async def _objects(world: World, served: Iterable[str], namespace: str) -> list[Object]:
    kinds = [kind for kind in served if not (namespace and kind in _ANYWHERE)]
    return [obj for kind in kinds async for _, obj in each(world.store, kind, namespace or None)]


def _held(objects: Iterable[Object]) -> Iterator[Found]:
    for obj in objects:
        kind = obj.get("kind")
        if kind == "Secret":
            yield from ((obj, key, held) for key, held in of_secret(obj))
        elif kind == "ConfigMap":
            values = sorted((obj.get("data") or {}).items())
            yield from ((obj, key, certificates(text)) for key, text in values if "BEGIN CERTIFICATE" in str(text))
        elif kind == "CertificateSigningRequest":
            yield obj, "issued", certificates(str((obj.get("status") or {}).get("certificate") or ""))
        elif kind == "APIService":
            yield obj, "caBundle", certificates(str((obj.get("spec") or {}).get("caBundle") or ""))
        else:
            for hook in obj.get("webhooks") or ():
                bundle = (hook.get("clientConfig") or {}).get("caBundle")
                yield obj, str(hook.get("name", "")), certificates(str(bundle or ""))


def _forecast(obj: Object, part: str, held: list[Certificate], *, now: float, horizon: float) -> Forecast:
    """Of a chain, the first to end breaks it; of several authorities to be trusted, the last one is what counts."""
    trusted = all(item.authority for item in held)
    chosen = (max if trusted else min)(held, key=lambda item: item.ends)
    whose = chosen if trusted else held[0]
    notes = [f"for {', '.join(whose.names) or whose.subject}, by {whose.issuer}"]
    if trusted and len(held) > 1:
        first = min(held, key=lambda item: item.ends)
        notes.append(f"the last of {len(held)} authorities; the first, {first.subject}, ends {_days(first.ends - now)}")
    elif chosen is not held[0]:
        notes.append(f"its chain needs {chosen.subject}, which ends first")
    if chosen.begins > now:
        notes.append(f"not valid yet: begins {_days(chosen.begins - now)}")
    return _ending(obj, part, chosen.ends, notes, now=now, horizon=horizon)


def _ending(obj: Object, part: str, ends: float, notes: list[str], *, now: float, horizon: float) -> Forecast:
    metadata, left = obj["metadata"], ends - now
    space, name = metadata.get("namespace", ""), metadata["name"]
    verdict: Any = "full" if left <= 0 else "exhausting" if left <= horizon else "growing"
    crossing = Crossing(ends, ends, ends) if left > 0 else None
    ended = [f"ended {-left / _DAY:.1f} days ago"] if left <= 0 else []
    trend = Trend(verdict, left / _DAY, 1, 0.0, crossing=crossing, notes=(*ended, *notes))
    return Forecast(Subject("certificates", str(obj["kind"]), space, name, part, 0.0, "end"), trend, now)


def _is_managed(obj: Object) -> bool:
    return obj.get("kind") == "Certificate" and str(obj.get("apiVersion", "")).startswith("cert-manager.io/")


def _secret_of(certificate: Object) -> tuple[str, str]:
    return certificate["metadata"].get("namespace", ""), str((certificate.get("spec") or {}).get("secretName", ""))


def _of_managed(obj: Object, now: float, horizon: float) -> Forecast | None:
    """One that is renewed in time is nothing to wait for; one whose renewal is overdue or refused is."""
    status = obj.get("status") or {}
    ends, renewal = _time(status.get("notAfter")), _time(status.get("renewalTime"))
    if ends is None:
        return None
    ready = {item.get("type"): item.get("status") for item in status.get("conditions") or ()}.get("Ready")
    if renewal is not None and renewal > now and ready != "False":
        return _ending(obj, "", ends, [f"cert-manager renews it {_days(renewal - now)}"], now=now, horizon=0.0)
    why = "cert-manager says that it is not ready" if ready == "False" else "cert-manager should have renewed it"
    return _ending(obj, "", ends, [why], now=now, horizon=horizon)


def _time(text: Any) -> float | None:
    try:
        return parse_timestamp(str(text)) if text else None
    except ValueError:
        return None


def _days(seconds: float) -> str:
    return f"in {seconds / _DAY:.1f} days" if seconds >= 0 else f"{-seconds / _DAY:.1f} days ago"


def _said(found: list[Forecast], horizon: float) -> str:
    if not found:
        return "none is seen"
    soon = sum(item.severity != "info" for item in found)
    later = min((item.left for item in found if item.severity == "info" and item.left), default=None)
    next_one = f", the next one after that {_days(later)}" if later is not None else ""
    return f"{soon} end within {horizon / _DAY:.0f} days{next_one}"
