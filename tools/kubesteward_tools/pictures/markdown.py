"""A rehearsal as GitHub-flavoured Markdown: for a pull request, a job's summary, a chat."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.pictures.escapes import code, markdown
from kubesteward_tools.pictures.mermaid import blast_radius, timeline
from kubesteward_tools.pictures.scenes import pods
from kubesteward_tools.twin.rehearsal import Concern, Rehearsal

MEANING = {
    "safe": "Nothing stands against it.",
    "warn": "It can be done; read the warnings first.",
    "blocked": "It must not be done like this.",
    "unknown": "Something that matters cannot be simulated, so that nobody can call it safe.",
}
_WORDS = {"block": "blocks", "warn": "warning", "info": "note"}
_FINDINGS = 100
_ROWS = 100


def report(rehearsal: Rehearsal, summary: str, cluster: str = "", *, most: int = 40) -> str:
    """Verdict, findings, availability, timeline and blast radius. `most` rows are in each picture at the most."""
    where = f" on {code(cluster)}" if cluster else ""
    parts = [
        f"## Rehearsal: {rehearsal.verdict}",
        f"{markdown(summary, 500)}{where}. {MEANING[rehearsal.verdict]}",
        *_findings(rehearsal),
        *_availability(rehearsal),
        _effects(rehearsal),
        *_picture("Timeline", timeline(rehearsal, most)),
        *_picture("Blast radius", blast_radius(rehearsal, summary, max(most // 3, 3))),
        *_listed("Assumed and not simulated", rehearsal.assumptions),
    ]
    return "\n\n".join(parts) + "\n"


def _findings(rehearsal: Rehearsal) -> Iterator[str]:
    if rehearsal.findings:
        lines = [_finding(item) for item in rehearsal.findings[:_FINDINGS]]
        more = len(rehearsal.findings) - _FINDINGS
        yield "\n".join(["### Findings", "", *lines, *([f"- and {more} more"] if more > 0 else [])])


def _finding(item: Concern) -> str:
    remedy = f" *{markdown(item.remedy)}*" if item.remedy else ""
    return f"- **{_WORDS[item.severity]}** {code(item.rule)} {code(item.object)}: {markdown(item.message)}{remedy}"


def _availability(rehearsal: Rehearsal) -> Iterator[str]:
    if not rehearsal.availability:
        return
    head = ["### Ready pods and endpoints", ""]
    head += ["| object | before | at least | at the end | at least, if new pods never become ready | at the end |"]
    head += ["|---|---:|---:|---:|---:|---:|"]
    rows = [
        f"| {code(item.object)} | {item.before} | {item.best_min} | {item.best_after} | {item.worst_min} "
        f"| {item.worst_after} |"
        for item in rehearsal.availability[:_ROWS]
    ]
    yield "\n".join(head + rows)


def _effects(rehearsal: Rehearsal) -> str:
    effects, reach = rehearsal.effects, rehearsal.blast_radius
    share = f"{reach.share_of_namespace:.0%} of the namespace's, {reach.share_of_cluster:.0%} of the cluster's"
    stopped = f"{effects.pods_stopped} stopped" + (f" ({share})" if effects.pods_stopped else "")
    words = f"{pods(effects.pods_started)} started, {stopped}."
    pending = [f"{code(item.pod)} stays Pending: {markdown(item.message)}" for item in effects.pending[:10]]
    return "\n".join([words, *(["", *(f"- {item}" for item in pending)] if pending else [])])


def _picture(title: str, diagram: str) -> Iterator[str]:
    if diagram:
        yield f"### {title}\n\n```mermaid\n{diagram}\n```"


def _listed(title: str, texts: tuple[str, ...]) -> Iterator[str]:
    if texts:
        more = [f"- and {len(texts) - _ROWS} more"] if len(texts) > _ROWS else []
        yield "\n".join([f"### {title}", "", *(f"- {markdown(text)}" for text in texts[:_ROWS]), *more])
