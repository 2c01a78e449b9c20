"""What a brain of the loopback servers says in a complete investigation of the incident."""

from __future__ import annotations

from typing import Any

from tests.server.reasoning.loopback.script import Turn, Use

CHECKOUT = {"kind": "Deployment", "namespace": "shop", "name": "checkout"}
TRUE = (
    "Deployment shop/checkout is OOMKilled with exit code 137: its memory limit of 96Mi came with the roll-out "
    "9 minutes ago."
)
FALSE = "Deployment shop/checkout has 3/3 replicas ready and ended with exit code 1."

LOOK = Turn(
    say="I let the rules look at it first.", calls=(Use("diagnose", {"question": "Why is checkout not well?"}),)
)
SUPPOSE = Turn(
    say="Three things could be behind that.",
    calls=(
        Use(
            "hypothesise",
            {
                "hypotheses": [
                        {"id": "h1", "category": "OOMKilled", "culprit": CHECKOUT, "because": "it is killed",
                         "confirms": ["exit code 137"], "refutes": ["another exit code"]},
                        {"id": "h2", "category": "BadRollout", "culprit": CHECKOUT, "because": "it was rolled out",
                         "confirms": ["a change before it"], "refutes": ["no change"]},
                        {"id": "h3", "category": "ConfigMissing", "because": "it may miss something",
                         "confirms": ["CreateContainerConfigError"], "refutes": ["it starts"]},
                ]
            },
        ),
    ),
)  # fmt: skip
TEST = Turn(
    say="Events and changes decide between them.",
    calls=(
        Use("get_events", {"related_resource": "deployment/checkout", "namespace": "shop"}),
        Use("what_changed", {"resource": "deployment/checkout", "namespace": "shop"}),
    ),
)
WEIGH = Turn(
    say="I weigh them.",
    calls=(
        Use(
            "weigh",
            {
                "evidence": [
                    {"hypothesis": "h1", "call": "1", "verdict": "supports", "weight": 0.9, "says": "OOMKilled, 137"},
                    {"hypothesis": "h3", "call": "2", "verdict": "refutes", "weight": 0.8, "says": "it starts"},
                ]
            },
        ),
    ),
)


def conclude(answer: str = TRUE, **more: Any) -> Turn:
    told = {
        "status": "ANSWERED",
        "answer": answer,
        "category": "OOMKilled",
        "culprit": CHECKOUT,
        "confidence": 0.9,
        "ruled_out": ["ConfigMissing: it starts"],
        "recommendation": {
            "text": "Roll back.",
            "actions": [{"action": "rollback", **CHECKOUT, "params": {"revision": 2}}],
        },
    }
    return Turn(say="That leaves one.", calls=(Use("conclude", {**told, **more}),))


WHOLE = (LOOK, SUPPOSE, TEST, WEIGH, conclude())
