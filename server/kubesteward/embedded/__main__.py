"""`python -m kubesteward.embedded KUBECONFIG [SCENARIO]`: the cluster alone, without the command line's frame."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kubesteward.embedded.serve import serve_until_signal


def main(arguments: list[str]) -> None:
    kubeconfig, scenario = (*arguments, "healthy")[:2]
    asyncio.run(serve_until_signal(Path(kubeconfig), 3, scenario, _say))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
