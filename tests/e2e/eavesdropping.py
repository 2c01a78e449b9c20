"""Calls everything that can be called, and keeps every word that comes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mcp import Client, MCPError
from mcp.types import CallToolResult, PromptReference
from tests.e2e.desk import text_of
from tests.tools.world.objects import Object

NAMED_BY_LABEL = 120


@dataclass
class Ear:
    """`heard` are the words by the call that they came from."""

    client: Client
    heard: list[tuple[str, str]] = field(default_factory=list)

    async def call(self, tool: str, /, **arguments: Any) -> CallToolResult:
        result = await self.client.call_tool(tool, arguments)
        label = f"{tool}({', '.join(f'{name}={value}' for name, value in arguments.items())})"[:NAMED_BY_LABEL]
        self.heard.append((label, text_of(result)))
        self.heard.append((f"{label} data", "\n".join(strings(result.structured_content))))
        return result

    async def read(self, uri: str) -> None:
        try:
            found = await self.client.read_resource(uri)
            self.heard += [(uri, getattr(item, "text", "")) for item in found.contents]
        except MCPError as error:
            self.heard.append((uri, f"{error} {error.error}"))

    async def prompt(self, name: str, /, **arguments: str) -> None:
        try:
            found = await self.client.get_prompt(name, arguments)
            self.heard.append((f"prompt {name}", found.model_dump_json()))
        except MCPError as error:
            self.heard.append((f"prompt {name}", f"{error} {error.error}"))

    async def complete(self, argument: str, value: str, /, **context: str) -> None:
        reference = PromptReference(type="ref/prompt", name="triage")
        found = await self.client.complete(reference, {"name": argument, "value": value}, context)
        self.heard.append((f"completion of {argument}", found.model_dump_json()))


def strings(value: Any) -> Iterator[str]:
    """Every text in some data, names of fields too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif value is not None:
        yield str(value)


async def look_around(ear: Ear, objects: Iterable[Object]) -> None:
    """Every reading tool, on every object."""
    there = list(objects)
    for wide in ("concise", "detailed"):
        await ear.call("cluster_overview", response_format=wide)
        for kind in sorted({item["kind"] for item in there}):
            await ear.call("list_resources", kind=kind, response_format=wide)
        await ear.call("get_events", response_format=wide, limit=200)
        await ear.call("get_logs", target="pod-x", namespace="shop", container="app", response_format=wide)
        await ear.call(
            "get_logs", target="pod-x", namespace="shop", container="app", previous=True, response_format=wide
        )
    await ear.call("list_clusters")
    for asked in ({"hint": "errors with passwords"}, {"pattern": "password|token"}, {"pattern": "zQ"}, {"tail": 3}):
        await ear.call("get_logs", target="pod-x", namespace="shop", container="app", **asked)
    for query in ("cpu_usage", "restarts", "memory_saturation"):
        await ear.call("get_metrics", query=query, target="Pod/pod-x", namespace="shop")
    for item in there:
        await _look_at(ear, item)


async def _look_at(ear: Ear, item: Object) -> None:
    metadata = item["metadata"]
    which = {"kind": item["kind"], "name": metadata["name"], "namespace": metadata.get("namespace", "")}
    await ear.call("get_resource_yaml", **which)
    await ear.call("get_resource_yaml", **which, response_format="detailed")
    for section in [key for key in item if key not in {"apiVersion", "kind"}]:
        await ear.call("get_resource_yaml", **which, sections=[section])
    for section in ("metadata.annotations", "spec.template.spec.containers", "spec.containers.0.env"):
        await ear.call("get_resource_yaml", **which, sections=[section])
    target = {"resource": f"{which['kind']}/{which['name']}", "namespace": which["namespace"]}
    await ear.call("get_topology", **target, direction="neighbours", depth=1)
    await ear.call("get_topology", **target, format="mermaid", depth=2)


async def ask_what_changed(ear: Ear) -> None:
    for wide in ("concise", "detailed"):
        await ear.call("what_changed", response_format=wide, limit=200)
    for resource in ("Deployment/rolled", "Deployment/deployment-x", "Pod/pod-x", "ConfigMap/files", "Secret/opaque"):
        await ear.call("what_changed", resource=resource, namespace="shop", response_format="detailed", limit=200)


async def propose(ear: Ear, secrets: dict[str, str]) -> None:
    """Every way to bring a secret in oneself: what a caller says comes out nowhere else."""
    for words in _changes(secrets):
        for terms in ({"dry_run": True}, {"dry_run": False}):
            result = await ear.call(
                "patch_resource", **words, **terms, justification=f"password={secrets['justification']}"
            )
            action = str((result.structured_content or {}).get("id", ""))
            if action:
                await ear.call("get_action", action_id=action, response_format="detailed")
                await ear.read(f"kubesteward://actions/{action}")
        await _rehearse(ear, words)
    for tool, more in (("scale_workload", {"replicas": 1}), ("restart_rollout", {})):
        which = {"kind": "Deployment", "name": "deployment-x", "namespace": "shop", **more}
        for terms in ({"dry_run": True}, {"dry_run": False}):
            result = await ear.call(tool, **which, **terms)
            if action := str((result.structured_content or {}).get("id", "")):
                await ear.call("get_action", action_id=action, response_format="detailed", wait=5)
                undone = await ear.call("rollback_action", action_id=action, dry_run=True)
                if action := str((undone.structured_content or {}).get("id", "")):
                    await ear.call("get_action", action_id=action, response_format="detailed")
    await _act(ear, secrets)


async def _act(ear: Ear, secrets: dict[str, str]) -> None:
    """Previews of everything else; what they carry and quote is kept all the same."""
    workload = {"kind": "Deployment", "name": "deployment-x", "namespace": "shop"}
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: new, namespace: shop}\n"
    secret += f"stringData: {{a: {secrets['manifest']}}}\n"
    pod = {"name": "pod-x", "namespace": "shop"}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("apply_manifest", {"yaml": secret}),
        ("apply_manifest", {"yaml": secret, "prune": "a=b"}),
        ("rollback_rollout", workload),
        ("set_rollout_paused", {**workload, "paused": True}),
        ("delete_resource", {"kind": "Secret", "name": "opaque", "namespace": "shop"}),
        ("evict_pod", pod),
        ("cordon_node", {"name": "node-1"}),
        ("drain_node", {"name": "node-1", "force": True, "delete_emptydir_data": True}),
        ("exec_in_pod", {"pod": "pod-x", "namespace": "shop", "command": ["echo", f"password={secrets['manifest']}"]}),
    ]
    for tool, arguments in asked:
        result = await ear.call(tool, **arguments, dry_run=True)
        if action := str((result.structured_content or {}).get("id", "")):
            await ear.call("get_action", action_id=action, response_format="detailed")


async def _rehearse(ear: Ear, words: dict[str, Any]) -> None:
    params = {key: words[key] for key in ("patch", "patch_type") if key in words}
    which = {key: words[key] for key in ("kind", "name", "namespace")}
    await ear.call("simulate_impact", action="patch", **which, params=params, response_format="detailed")
    action: dict[str, Any] = {"action": "patch", **which, "params": params}
    await ear.call("draft_recommendation", title="t", severity="info", reasoning="r", proposed_actions=[action])
    planned = await ear.call("plan_change", steps=[action])
    await ear.call("execute_plan", plan_id=str((planned.structured_content or {}).get("plan_id", "plan-none")))


def _changes(secrets: dict[str, str]) -> Iterator[dict[str, Any]]:
    secret = {"kind": "Secret", "name": "opaque", "namespace": "shop"}
    yield {**secret, "patch": {"stringData": {"plain": secrets["stringData"]}}}
    yield {**secret, "patch": json.dumps({"stringData": {"plain": secrets["stringData in JSON text"]}})}
    yield {**secret, "patch": f"stringData:\n  plain: {secrets['stringData in YAML text']}\n"}
    operation = {"op": "add", "path": "/stringData/plain", "value": secrets["json operation"]}
    yield {**secret, "patch": [operation], "patch_type": "json"}
    yield {**secret, "patch": {"data": {"plain": secrets["data"]}}, "patch_type": "merge"}
    yield {**secret, "patch": {"data": {"plain": secrets["apply"]}}, "patch_type": "apply"}
    config = {"kind": "ConfigMap", "name": "keys", "namespace": "shop"}
    yield {**config, "patch": {"data": {"db.password": secrets["ConfigMap key"]}}}
    operation = {"op": "add", "path": "/data/db.password", "value": secrets["ConfigMap json operation"]}
    yield {**config, "patch": [operation], "patch_type": "json"}
    yield {**config, "patch": {"data": {"a.ini": f"[db]\npassword = {secrets['ConfigMap file']}\n"}}}
    workload = {"kind": "Deployment", "name": "deployment-x", "namespace": "shop"}
    env = [{"name": "DB_PASSWORD", "value": secrets["env"]}]
    yield {**workload, "patch": {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}}}
    operation = {"op": "replace", "path": "/spec/template/spec/containers/0/env/0", "value": {**env[0]}}
    yield {**workload, "patch": [operation], "patch_type": "json"}
    yield {**workload, "patch": {"metadata": {"annotations": {"x/api-token": secrets["annotation"]}}}}
    yield {**workload, "patch": {"spec": {"replicas": f"postgres://u:{secrets['wrong type']}@db/x"}}}
    yield {**workload, "patch": {"spec": {"password": secrets["unknown field"]}}}


async def _compare(ear: Ear, manifest: str, secrets: dict[str, str], jwt: str) -> None:
    """Check, compare and ask for rights, with what is planted and with what a caller brings."""
    variable = [{"name": "DB_PASSWORD", "value": secrets["env"]}, {"name": "HEADER", "value": f"Bearer {jwt}"}]
    pod = {"containers": [{"name": "app", "image": "a:1", "env": variable, "args": [f"--password={secrets['data']}"]}]}
    workload = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod-x", "namespace": "shop"}, "spec": pod}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keys", "namespace": "shop"}}
    given = [manifest, json.dumps(workload), json.dumps({**config, "data": {"db.password": secrets["ConfigMap key"]}})]
    await ear.call("check_policy")
    for text in (*given, f"Secret/{jwt}", f"password: {secrets['broken YAML']}\n : ["):
        await ear.call("check_policy", resource=text, namespace="shop")
    for name in ("secret/opaque", "pod/pod-x", "configmap/keys", "deploy/deployment-x"):
        await ear.call("diff_resources", a=name, b="deploy/deployment-x@10m", namespace="shop", status=True)
        for text in given:
            await ear.call("diff_resources", a=name, b=text, namespace="shop", status=True)
    await ear.call("diff_resources", a="deploy/deployment-x", b="@applied", namespace="shop")
    await ear.call("diff_resources", a=f"secret/{jwt}", b=f"@password={secrets['env']}", namespace="shop")
    await ear.call("explain_permissions", verb="get", resource="secrets", namespace="shop")
    await ear.call("explain_permissions", subject=f"token={jwt}", verb="get", resource=f"secrets/{jwt}", name=jwt)
    await ear.call("diagnose")
    await ear.call("diagnose", target="deployment/deployment-x", namespace="shop")
    await ear.call("diagnose", question=f"It says password={secrets['env']} is wrong, why?")
    await ear.call("diagnose", target=f"Secret/{jwt}", namespace=jwt, question=jwt)
    await ear.call("find_anomalies")
    await ear.call("correlate_failures")
    await ear.call("correlate_failures", namespace=jwt, window="2h")
    await ear.call("find_anomalies", scope="deployment/deployment-x", namespace="shop", window="2h")
    await ear.call("find_anomalies", scope=f"Secret/{jwt}", namespace=jwt, window=jwt[:20])
    for target in ("", "deploy/deployment-x", "secret/opaque", f"secret/{jwt}", f"node/{jwt}"):
        await ear.call("forecast", target=target, namespace="shop")
    for target in ("", "deploy/deployment-x", f"deploy/{jwt}"):
        await ear.call("forecast", target=target, namespace="shop", metric="sizing")
    await _investigate(ear, secrets, jwt)


async def _investigate(ear: Ear, secrets: dict[str, str], jwt: str) -> None:
    """What the investigations leave in the store is listened to with the other files."""
    for asked in (
        {"question": "Why is deployment-x in shop not well?"},
        {"question": f"It says password={secrets['env']} is wrong, why?", "target": "Deployment/deployment-x"},
        {"question": f"Is {jwt} out of date?", "target": f"Secret/{jwt}", "namespace": jwt},
    ):
        begun = (await ear.call("investigate", **asked)).structured_content or {}
        if name := begun.get("id"):
            await ear.call("investigate", investigation=name, order="cancel")
            await ear.read(f"kubesteward://investigations/{name}")
    await ear.call("investigate", investigation=jwt)
    await ear.call("investigate", question=jwt, investigation=jwt, order=jwt)
    await ear.read(f"kubesteward://investigations/{jwt}")


async def stumble(ear: Ear, secrets: dict[str, str], jwt: str) -> None:
    """Provoke errors that might quote."""
    which = {"kind": "Deployment", "name": "deployment-x", "namespace": "shop"}
    broken = f"stringData:\n  password: {secrets['broken YAML']}\n : ["
    await ear.call("patch_resource", **which, patch=broken)
    await ear.call("patch_resource", **which, patch=f'{{"password": "{secrets["broken JSON"]}", ]')
    await ear.call("simulate_impact", action="apply", manifest=broken)
    await ear.call("plan_change", steps=[{"action": "apply", "manifest": broken}])
    await ear.call("plan_change", intent=f"set the image of deployment-x in shop to password={secrets['manifest']}")
    manifest = "apiVersion: v1\nkind: Secret\nmetadata: {name: new, namespace: shop}\n"
    manifest += f"stringData: {{a: {secrets['manifest']}}}\n"
    await ear.call("simulate_impact", action="apply", manifest=manifest, response_format="detailed")
    await ear.call("plan_change", steps=[{"action": "apply", "manifest": manifest}])
    await _compare(ear, manifest, secrets, jwt)
    await ear.call(
        "draft_recommendation",
        title="t",
        severity="info",
        reasoning="r",
        proposed_actions=[{"action": "apply", "manifest": manifest}],
    )
    text = f"I saw password={secrets['reasoning']}\nAuthorization: Bearer {secrets['reasoning header']}"
    await ear.call("draft_recommendation", title=f"token={secrets['title']}", severity="info", reasoning=text)
    for wrong in (f"Secret {jwt}", jwt):
        await ear.call("list_resources", kind=wrong)
        await ear.call("list_resources", kind="pods", label_selector=f"password={wrong},=", namespace="shop")
        await ear.call("list_resources", kind="pods", field_selector=f"metadata.password={wrong}")
        await ear.call("list_resources", kind="pods", cursor=wrong)
        await ear.call("get_resource_yaml", kind="Pod", name=wrong, namespace=wrong)
        await ear.call("get_resource_yaml", kind="Pod", name="pod-x", namespace="shop", sections=[f"spec.{wrong}"])
        await ear.call("get_logs", target="pod-x", namespace="shop", pattern=f"({wrong}")
        await ear.call("get_topology", resource=f"Pod/{wrong}", relations=[wrong])
        await ear.call("what_changed", since=wrong[:20], resource=wrong)
        await ear.call("get_action", action_id=wrong[:99])
        await ear.call("list_resources", kind="pods", password=wrong)
        await ear.call("patch_resource", **which, patch=[{"op": wrong, "path": "/x"}], patch_type="json")
        await ear.call("no_such_tool", token=wrong)
        await ear.read(f"kubesteward://actions/{wrong}")
        await ear.prompt("triage", name=f"password={wrong}")
        await ear.prompt(wrong)


async def read_the_rest(ear: Ear) -> None:
    for uri in ("kubesteward://clusters", "kubesteward://recommendations", "kubesteward://usage"):
        await ear.read(uri)
    await ear.prompt("triage", namespace="shop", kind="Pod", name="pod-x")
    await ear.prompt("review_change", action_id="act-1")
    for kind in ("Secret", "ConfigMap", "Pod"):
        await ear.complete("name", "", kind=kind, namespace="shop")
    for argument in ("cluster", "namespace", "kind"):
        await ear.complete(argument, "")
