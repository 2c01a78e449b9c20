"""Serves a fleet over loopback: pages of bytes that were made beforehand, and watches that say what they are told to.

Run as a program it prints its URL and stays until its standard input is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from aiohttp import web
from tests.bench.fleet.objects import Fleet

from kubesteward.embedded import discovery

_PODS = "/api/v1/pods"


class FleetServer:
    """`lists` maps the path of a collection to its objects, as JSON."""

    def __init__(self, fleet: Fleet) -> None:
        dump = json.JSONEncoder(separators=(",", ":")).encode
        self.lists = {path: [dump(obj).encode() for obj in objects] for path, objects in fleet.lists()}
        self.bytes = sum(len(obj) + 1 for objects in self.lists.values() for obj in objects)
        self._watches: set[asyncio.Queue[bytes]] = set()
        self._revision = 10_000_000

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/fleet", self._describe)
        app.router.add_post("/fleet/events/{count}", self._tell)
        app.router.add_get("/{path:.*}", self._answer)
        return app

    async def _describe(self, _: web.Request) -> web.Response:
        paths = {path: len(objects) for path, objects in self.lists.items()}
        return web.json_response({"bytes": self.bytes, "objects": sum(paths.values()), "paths": paths})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await self._watch(request)
        if "apidiscovery" in request.headers.get("Accept", "") and request.path in {"/api", "/apis"}:
            document: Any = discovery.aggregated(discovery.groups(), core=request.path == "/api")
            kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return web.Response(text=json.dumps(document), headers={"Content-Type": kind})
        if (found := discovery.document(request.path, discovery.groups())) is not None:
            return web.json_response(found)
        return self._page(request)

    def _page(self, request: web.Request) -> web.Response:
        objects = self.lists.get(request.path, [])
        start = int(request.query.get("continue") or 0)
        end = start + int(request.query.get("limit") or len(objects) or 1)
        rest = b',"continue":"%d"' % end if end < len(objects) else b""
        head = b'{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"%d"%b},"items":[' % (
            self._revision,
            rest,
        )
        return web.Response(body=head + b",".join(objects[start:end]) + b"]}", content_type="application/json")

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        if request.path == _PODS:
            self._watches.add(queue)
        try:
            while True:
                await response.write(await queue.get())
        except ConnectionResetError:
            return response
        finally:
            self._watches.discard(queue)

    async def _tell(self, request: web.Request) -> web.Response:
        """Tell every watch of pods of so many changes of readiness, one pod after the other."""
        count = int(request.match_info["count"])
        pods = self.lists[_PODS]
        lines = []
        for number in range(count):
            self._revision += 1
            obj = json.loads(pods[number % len(pods)])
            obj["metadata"]["resourceVersion"] = str(self._revision)
            for item in obj["status"]["conditions"]:
                if item["type"] in {"Ready", "ContainersReady"}:
                    item["status"] = "False" if item["status"] == "True" else "True"
            pods[number % len(pods)] = encoded = json.dumps(obj, separators=(",", ":")).encode()
            lines.append(b'{"type":"MODIFIED","object":%b}\n' % encoded)
        for queue in self._watches:
            for start in range(0, count, 100):
                queue.put_nowait(b"".join(lines[start : start + 100]))
        return web.json_response({"revision": str(self._revision)})


async def serve(pods: int, nodes: int) -> None:
    runner = web.AppRunner(FleetServer(Fleet(pods, nodes)).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=1)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=30_000)
    parser.add_argument("--nodes", type=int, default=1000)
    given = parser.parse_args()
    asyncio.run(serve(given.pods, given.nodes))
