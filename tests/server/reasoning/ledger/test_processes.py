"""Several processes share one store: together they stay within a limit, and one that is killed loses no paid answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.reasoning.ledger.purse import Purse
from tests.server.reasoning.ledger.worker import ANSWER

from kubesteward.reasoning.ledger.budgets import Budget
from kubesteward.reasoning.ledger.ledger import Hold, Known

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-m", "tests.server.reasoning.ledger.worker"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


@pytest.mark.requirement("cost.hard-limit")
def test_processes_that_spend_at_once_stay_within_the_limit_together(tmp_path: Path) -> None:
    purse = Purse(tmp_path)
    purse.limit(Budget("user", "*", "usd", hard=1000))
    words = [*COMMAND, "spend", str(tmp_path), "25", "30"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    workers = [subprocess.Popen(words, **pipes, text=True, env=ENVIRONMENT) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    made = [int(worker.communicate(timeout=60)[0]) for worker in workers]

    assert sum(made) == 1000 // 30
    assert purse.sum("SELECT SUM(money) FROM usage") == 990
    assert purse.sum("SELECT COUNT(*) FROM holds") == 0
    assert len(purse.records("budget_refused")) == 4 * 25 - 33


@pytest.mark.requirement("cost.paid-once")
@pytest.mark.parametrize(
    ("where", "rows", "held"), [("before the answer", 0, 1), ("between the rows", 0, 1), ("after the answer", 1, 0)]
)
def test_a_paid_answer_and_its_usage_are_both_there_or_neither(
    tmp_path: Path, where: str, rows: int, held: int
) -> None:
    done = subprocess.run([*COMMAND, "die", str(tmp_path), where], env=ENVIRONMENT, check=False, timeout=60)
    purse = Purse(tmp_path)
    counted = (purse.sum("SELECT COUNT(*) FROM usage"), purse.sum("SELECT COUNT(*) FROM answers"))
    resumed = purse.begin("why?", 100)

    assert done.returncode == -signal.SIGKILL
    assert counted == (rows, rows)
    assert purse.sum("SELECT COUNT(*) FROM holds") == held + isinstance(resumed, Hold)
    assert resumed == Known(ANSWER, own=True) if rows else isinstance(resumed, Hold)
