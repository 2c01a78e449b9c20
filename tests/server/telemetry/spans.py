"""An investigation in a process of its own, its spans printed as JSON: a tracer provider is there for good.

It asks a scripted brain and calls tools through the MCP client, as the loop does.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_tracer, set_tracer_provider
from tests.server.mcp.fakes import SECRET, FakeAudit, make_app
from tests.server.reasoning.ledger.purse import ALICE, Purse
from tests.server.reasoning.ledger.test_metered import ASK, CALL, DONE, Scripted

from kubesteward.audit.log import AuditLog
from kubesteward.mcp.loopback import connect
from kubesteward.reasoning.brains.base import BrainOffline, CallMade, TextDelta
from kubesteward.reasoning.ledger.metered import Metered
from kubesteward.telemetry.exporting import Redacting
from kubesteward.telemetry.tracing import investigation


async def investigate(folder: Path) -> list[Any]:
    purse = Purse(folder / "purse")
    app = make_app(folder / "app")
    assert isinstance(app.audit, FakeAudit)
    vars(app)["audit"] = AuditLog(app.store)
    async with connect(app) as client:
        with investigation("inv-1", "c0ffee"):
            for events in ((TextDelta("look"), CallMade(CALL), DONE), (CallMade(CALL), DONE)):
                brain = Metered(Scripted(*events), purse.ledger, ALICE, world=lambda: "w")
                assert [event async for event in brain.stream(ASK)]
            await client.call("look", namespace="shop")
            await client.call("crash", how="bug")
            await client.call(f"password={SECRET}")
    with suppress(RuntimeError), get_tracer("others").start_as_current_span("raising"):  # as others' code does
        raise RuntimeError(f"password={SECRET} of shop")
    try:
        with investigation("inv-2"):
            down = Metered(Scripted(BrainOffline(f"no route, key {SECRET}")), purse.ledger, ALICE)
            assert [event async for event in down.stream(type(ASK)("other", ASK.messages))]
    except BrainOffline:
        pass
    return [json.loads(row[0]) for row in app.store.db.execute("SELECT record FROM audit")]


def told(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    return {
        "name": span.name,
        "id": f"{span.context.span_id:016x}",
        "trace": f"{span.context.trace_id:032x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else "",
        "status": span.status.status_code.name,
        "described": span.status.description or "",
        "events": [{event.name: dict(event.attributes or {})} for event in span.events],
        "attributes": dict(span.attributes or {}),
    }


if __name__ == "__main__":
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Redacting(exporter)))
    set_tracer_provider(provider)
    audit = anyio.run(investigate, Path(sys.argv[1]))
    print(json.dumps({"spans": [told(span) for span in exporter.get_finished_spans()], "audit": audit}))
