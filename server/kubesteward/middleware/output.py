"""What leaves passes here: redacted, text of strangers fenced, nothing longer than a model's patience."""

from __future__ import annotations

from dataclasses import replace

from kubesteward.middleware.call import Call, Handler, Reply
from kubesteward_tools.errors import SteadyError

MOST = 60_000
"""Characters of text, and of data, in one reply: about 15k tokens (spec: a result is never over 20k)."""


async def tidy(call: Call, proceed: Handler) -> Reply:
    """Errors too: a message may quote the cluster."""
    try:
        reply = await proceed(call)
    except SteadyError as error:
        raise _tidied(error) from None
    return replace(reply, text=_text(reply), data=_data(reply), untrusted="")


def _text(reply: Reply) -> str:
    from kubesteward_tools.text.budget import cap
    from kubesteward_tools.text.fence import fence
    from kubesteward_tools.text.redact import redact

    text = cap(redact(reply.text), MOST)
    if not reply.untrusted:
        return text
    return f"{text}\n{fence(cap(redact(reply.untrusted), MOST), reply.source)}".lstrip("\n")


def _data(reply: Reply) -> dict[str, object] | None:
    from kubesteward_tools.text.budget import fit
    from kubesteward_tools.text.redact import redact_object

    return None if reply.data is None else fit(redact_object(dict(reply.data)), MOST)


def _tidied(error: SteadyError) -> SteadyError:
    from kubesteward_tools.text.redact import redact

    error.message, error.todo = redact(error.message), redact(error.todo)
    error.args = (f"{error.message} {error.todo}".strip(),)
    return error
