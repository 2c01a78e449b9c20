"""What KubeSteward promises, by id. Each promise has a test that carries its id (`@pytest.mark.requirement`), and no
test carries an id that is not here: `test_requirements.py` holds both ways.
"""

from __future__ import annotations

REQUIREMENTS = {
    "gate.blocked-is-not-written": "What the rehearsal blocks never reaches the API server's write path.",
    "gate.advisor": "At autonomy 1 nothing is executed, also for clients that ignore tools/list.",
    "gate.approval-forged": "A forged approval writes nothing.",
    "gate.approval-replayed": "A replayed approval writes nothing again.",
    "gate.approval-of-another": "Another user's approval writes nothing.",
    "gate.approval-of-another-change": "An approval of one change is not one of another.",
    "gate.approval-expires": "Approvals are good for ten minutes.",
    "gate.idempotency": "One idempotency key is one action.",
    "gate.operator": "The operator approves and rejects in a process of their own.",
    "gate.moved": "What has moved since the approval is judged anew.",
    "gate.intent-first": "The intent is in the audit log before the effect.",
    "gate.lost-answer": "A lost answer is looked up and the change never repeated.",
    "gate.dead-man": "Where nothing can be written down, nothing is changed and reading goes on.",
    "gate.verify": "What was executed is compared with the rehearsal.",
    "audit.chain": "A record that was altered is named by audit verify.",
    "secrets.nowhere": "Secret values are in no result, log or store.",
    "text.redaction": "Text that leaves is redacted.",
    "text.fencing": "Text out of a cluster is fenced as data.",
    "tools.strict": "Unknown arguments are refused.",
    "tools.budget": "A concise result costs at most 2,000 tokens at the median.",
    "tools.bad-input": "Bad input is answered with one sentence that helps.",
    "mcp.eras": "Both protocol eras are served.",
    "mcp.cancel": "A client that gives up stops no execution half-way.",
    "mcp.public": "A public address is served with tokens and allowed names only.",
    "twin.kubectl": "kubectl works against the embedded cluster.",
    "twin.python-client": "The official Python client works against the embedded cluster.",
    "twin.recorded-answers": "The twin answers as the recorded control plane did.",
    "twin.scheduler-words": "Pods that fit nowhere are told why in the scheduler's words.",
    "twin.psa": "Pod Security admission decides as the profiles say.",
    "twin.networkpolicy": "Who may reach whom is told as the tables of NetworkPolicies say.",
    "world.dead-context": "An unreachable context blocks neither the server nor other contexts.",
    "overlay.explained": "Every point that a health score lacks is explained by an anomaly.",
    "overlay.told": "Subscribers are told when an overlay is another one.",
    "simulate.exit-codes": "The exit code of `simulate` is its verdict, and a state is never guessed.",
    "simulate.escapes": "No text out of a cluster becomes markup in a report.",
    "examples.run": "The examples do what they say.",
}
