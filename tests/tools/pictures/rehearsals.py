"""Rehearsals to draw: one with everything in it, and any that hypothesis comes up with."""

from __future__ import annotations

from hypothesis import strategies as st

from kubesteward_tools.twin.rehearsal import (
    Admission,
    Availability,
    BlastRadius,
    Concern,
    Effects,
    Pending,
    Rehearsal,
    Step,
)

SUMMARY = "Scale Deployment shop/web from 3 to 9 replicas"


def rehearsal(word: str = "web", verdict: str = "blocked") -> Rehearsal:
    """Everything a rehearsal may hold, with `word` wherever a text may stand."""
    return Rehearsal(
        verdict=verdict,  # type: ignore[arg-type]  # pydantic checks it
        admission=(Admission(call=f"patch /apis/{word}", allowed=False, code=422, reason="Invalid", message=word),),
        timeline=(
            Step(t=0, object=f"deployments.apps shop/{word}", what="replicas 3 to 9"),
            Step(t=0, object=f"pods shop/{word}-1", what="created"),
            Step(t=0.1, object=f"pods shop/{word}-1", what=f"placed on {word}"),
            Step(t=2.5, object=f"pods shop/{word}-1", what="ready"),
            Step(t=2.5, object=f"pods shop/{word}-0", what="stopping"),
            Step(t=32.5, object=f"pods shop/{word}-0", what="gone"),
        ),
        effects=Effects(
            created=(f"configmap shop/{word}",),
            changed=(f"deployment shop/{word}",),
            deleted=(f"secret shop/{word}",),
            pods_started=1,
            pods_stopped=1,
            pending=(Pending(pod=f"shop/{word}-2", message=f"0/3 nodes are available: {word}"),),
            blocked=(word,),
        ),
        availability=(
            Availability(
                object=f"deployment shop/{word}", before=3, best_min=2, best_after=9, worst_min=0, worst_after=1
            ),
        ),
        findings=(
            Concern(rule="quota.exceeded", severity="block", object=f"deployment shop/{word}", message=f"no {word}"),
            Concern(
                rule="pdb.broken", severity="warn", object=f"x shop/{word}", message=f"b {word}", remedy=f"r {word}"
            ),
            Concern(rule="config.changed", severity="info", object="configmap shop/elsewhere", message=f"c {word}"),
        ),
        blast_radius=BlastRadius(
            objects=3, pods=2, share_of_namespace=0.25, share_of_cluster=0.01, dependents=(f"service shop/{word}",)
        ),
        assumptions=(f"admission webhook {word} is not simulated",),
    )


NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            '"]:::x\n  click n0 "javascript:alert(1)"',
            "<script>alert(1)</script>",
            "]]><svg onload=alert(1)>",
            "```\n# heading\n```",
            "x | y | z\n|---|",
            "![a](http://x/y.png) [b](javascript:c) <b>",
            "%%{init: {}}%%",
            "end\nsection x :crit, a, 0, 1",
            "`` ` `` \\` \\| @everyone #1 www.evil.example https://evil.example",
            "a\x00b\x1b[31m\u202e\u2028c\ufffe&amp;&#60;",
            "1. one",
            "- item",
            "$\\LaTeX$ ~~gone~~ __bold__ *it*",
        ]
    ),
)
