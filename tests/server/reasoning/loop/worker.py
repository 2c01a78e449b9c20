"""A process of its own that investigates the incident with a brain of a loopback server, and dies where it is told to.

python -m tests.server.reasoning.loop.worker FOLDER PROVIDER URL KEY DIES_AT
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.server.reasoning.loop.incident import app_in, asked
from tests.server.reasoning.loopback.server import MODEL
from tests.server.reasoning.providers import PROVIDERS

from kubesteward.reasoning.brains.addresses import address
from kubesteward.reasoning.brains.keys import Key
from kubesteward.reasoning.brains.remote import Place
from kubesteward.reasoning.loop import conversation


async def main(folder: str, provider: str, url: str, key: str, dies_at: int) -> None:
    place = Place(name="main", model=MODEL, address=address(url), key=Key("a variable", key) if key else None)
    app = app_in(Path(folder), PROVIDERS[provider][1](place))
    _die_after_paying(dies_at)
    name = app.investigator.begin(asked(brain="main"))
    await app.investigator.wait(name)


def _die_after_paying(number: int) -> None:
    """As kill -9 does, when an answer is paid and written down, but before the investigation's state has it."""
    pay, paid = conversation._pay, iter(range(1, 100))

    def die(*given: Any) -> None:
        pay(*given)
        if next(paid) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    conversation._pay = die


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))  # type: ignore[call-arg, misc]  # five words
