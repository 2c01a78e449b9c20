"""A call of the tool `investigate` in a process of its own: its spans, audit records and usage, printed as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import set_tracer_provider
from tests.server.reasoning.loop.incident import QUESTION, app_in
from tests.server.reasoning.loop.scripted import IDEAS, WEIGHED, Scripted, says
from tests.server.telemetry.spans import told

from kubesteward.mcp.loopback import connect

END = {"status": "INCONCLUSIVE", "answer": "Deployment shop/checkout has 7/9 replicas ready. Nothing decides it."}


async def investigate(folder: Path) -> Any:
    look = says("I look.", ("get_events", {"namespace": "shop"}), ("get_logs", {"target": "deployment/nothing"}))
    weigh = says("I weigh.", ("weigh", WEIGHED))
    brain = Scripted(says("Three.", ("hypothesise", IDEAS)), look, weigh, says("I end.", ("conclude", END)))
    app = app_in(folder, brain)
    app.measuring = True
    try:
        async with connect(app) as client:
            answer = await client.call("investigate", question=QUESTION, wait=25)
            await client.call("list_clusters")
        rows = app.store.db.execute("SELECT correlation, investigation FROM usage").fetchall()
        records = [json.loads(row[0]) for row in app.store.db.execute("SELECT record FROM audit")]
        figures = {
            f"{sample.name}{sorted(sample.labels.items())}": sample.value
            for metric in app.metrics.registry.collect()
            for sample in metric.samples
        }
    finally:
        await app.close()
    return {"record": answer.data, "audit": records, "usage": [tuple(row) for row in rows], "figures": figures}


if __name__ == "__main__":
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    found = anyio.run(investigate, Path(sys.argv[1]))
    print(json.dumps({**found, "spans": [told(span) for span in exporter.get_finished_spans()]}))
