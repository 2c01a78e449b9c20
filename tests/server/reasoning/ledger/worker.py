"""A process that asks a brain: run by tests, several at once, and killed in the middle.

`spend FOLDER CALLS TOKENS`: begin and settle so often, after a line on standard input; print how many were let through.
`die FOLDER WHERE`: begin, and be killed by SIGKILL at that place.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.server.reasoning.ledger.purse import Purse

from kubesteward.reasoning.ledger import answers
from kubesteward.reasoning.ledger.ledger import BudgetExceeded
from kubesteward.reasoning.ledger.words import Tokens

ANSWER = {"text": "paid"}


def spend(folder: Path, calls: int, tokens: int) -> None:
    purse, made = Purse(folder), 0
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(calls):
        try:
            hold = purse.hold(f"{os.getpid()}-{number}", tokens)
        except BudgetExceeded:
            continue
        purse.ledger.settle(hold, Tokens(input=tokens), ANSWER)
        made += 1
    print(made, flush=True)


def die(folder: Path, where: str) -> None:
    purse = Purse(folder)
    hold = purse.hold("why?", 100)
    if where == "before the answer":
        killed()
    if where == "between the rows":
        answers.keep = killed  # the usage row is in the transaction already
    purse.ledger.settle(hold, Tokens(input=60), ANSWER)
    killed()


def killed(*_: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


if __name__ == "__main__":
    if sys.argv[1] == "spend":
        spend(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        die(Path(sys.argv[2]), sys.argv[3])
