"""Texts with secrets in them: configuration files of the usual formats, what programs print, values by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from tests.e2e.canaries import SHAPES, TELLING, Shape
from tests.tools.world.objects import Object

Plant = Callable[[str, Shape], str]
"""Gives the secret for a place."""

NAMES = (
    "DB_PASSWORD",
    "API_TOKEN",
    "CLIENT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "PRIVATE_KEY",
    "api-key",
    "redisPasswd",
    "signing_key",
    "CONNECTION_STRING",
    "github.token",
    "GF_SECURITY_ADMIN_PASSWORD",
)
"""Names that say what the value is."""


def named(plant: Plant, where: str, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    """A secret of every shape under a name that tells."""
    return {name: plant(f"{where} {name}", shape) for name, shape in zip(names, SHAPES, strict=True)}


def telling(plant: Plant, where: str) -> dict[str, str]:
    """Secrets that tell themselves, under names that say nothing."""
    found = {f"example.com/note-{n}": plant(f"{where} note", shape) for n, shape in enumerate(TELLING)}
    host = "see the very long address "
    return found | {"example.com/long": f"{host}{plant(f'{where} long note', 'url')}"}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def docker(plant: Plant, where: str) -> str:
    word = plant(f"{where} password", "password")
    auths = {"registry.example": {"username": "u", "password": word, "auth": b64(f"u:{word}")}}
    auths["other.example"] = {"auth": b64(f"u:{plant(f'{where} auth', 'token')}")}
    auths["third.example"] = {"identitytoken": plant(f"{where} identitytoken", "token")}
    return json.dumps({"auths": auths})


def files(plant: Plant, where: str) -> dict[str, str]:
    """Whole configuration files of the usual formats."""
    import yaml

    def values(file: str) -> dict[str, str]:
        return named(plant, f"{where} {file}")

    plain = [shape for shape in SHAPES if shape not in {"pem", "aws", "bearer", "quoted", "url"}]

    def lines(file: str, between: str) -> str:
        found = (
            f"{name}{between}{plant(f'{where} {file} {name}', shape)}"
            for name, shape in zip(NAMES, plain, strict=False)
        )
        return "\n".join(["# settings", *found, "mode=fast", ""])

    nested = {"db": {"host": "db", "auth": values("application.yaml")}, "list": [values("application.yaml")]}
    user: Object = {"name": "u", "user": {"token": plant(f"{where} kubeconfig token", "token")}}
    user["user"]["password"] = plant(f"{where} kubeconfig password", "password")
    user["user"]["client-key-data"] = plant(f"{where} kubeconfig client-key-data", "base64 pem")
    other = {
        "name": "v",
        "user": {"auth-provider": {"config": {"id-token": plant(f"{where} kubeconfig id-token", "jwt")}}},
    }
    other["user"]["auth-provider"]["config"]["refresh-token"] = plant(f"{where} kubeconfig refresh-token", "token")
    return {
        "application.yaml": yaml.safe_dump(nested),
        "wide.yaml": yaml.safe_dump(nested, width=10_000, default_style='"'),
        "config.json": json.dumps(nested, indent=2),
        "flat.json": json.dumps(nested),
        "app.ini": "[db]\n" + lines("app.ini", " = "),
        ".env": lines(".env", "="),
        "export.sh": "export " + lines("export.sh", "=").replace("\n", "\nexport "),
        "application.properties": lines("application.properties", "="),
        "colon.properties": lines("colon.properties", ": "),
        "settings.toml": "\n".join(f"{name} = {json.dumps(value)}" for name, value in values("settings.toml").items()),
        "credentials": f"[default]\n{plant(f'{where} aws credentials', 'aws')}\n",
        "kubeconfig": yaml.safe_dump({"kind": "Config", "users": [user, other]}),
        "docker.json": docker(plant, f"{where} docker"),
        "id_rsa": plant(f"{where} id_rsa", "pem"),
        "urls.txt": f"see {plant(f'{where} urls.txt', 'url')} for it",
        "nginx.conf": f'proxy_set_header Authorization "Bearer {plant(f"{where} nginx.conf", "token")}";',
        "block.yaml": f"db:\n  password: |\n    {plant(f'{where} block.yaml', 'token')}\n  host: db\n",
        "folded.yaml": "cert: |\n  " + "\n  ".join(wrapped(plant(f"{where} folded.yaml", "base64 pem"), 76)) + "\n",
        "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  plain: "
        f"{plant(f'{where} secret.yaml', 'token')}\n  long: |\n    {plant(f'{where} secret.yaml block', 'token')}\n",
        "late.yaml": f"data:\n  b: {b64(plant(f'{where} late.yaml', 'password'))}\nkind: Secret\n---\nkind: Pod\n",
        "secret.json": json.dumps({"kind": "Secret", "stringData": {"plain": plant(f"{where} secret.json", "token")}}),
        "pod.json": json.dumps({"env": [{"name": "DB_PASSWORD", "value": plant(f"{where} pod.json env", "token")}]}),
        "pod.yaml": f"env:\n- name: DB_PASSWORD\n  value: {plant(f'{where} pod.yaml env', 'token')}\n",
        "args.yaml": f"args:\n- --api-token\n- {plant(f'{where} args.yaml', 'token')}\n",
        "run.sh": f"exec app --api-token {plant(f'{where} run.sh', 'token')} --port 80",
        "nested.json": json.dumps(
            {"log": json.dumps({"request": json.dumps({"password": plant(f"{where} nested.json", "quoted")})})}
        ),
        "web.xml": f"<db><password>{plant(f'{where} web.xml', 'token')}</password></db>",
    }


def wrapped(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def told(plant: Plant, where: str) -> str:
    """Prose of a program that says too much."""
    parts = [
        f"cannot connect to {plant(where, 'url')}",
        f"password={plant(where, 'password')}",
        f'{{"level":"error","api_key":"{plant(where, "token")}"}}',
        f"sent {plant(where, 'bearer')}",
        f"got {plant(where, 'jwt')}",
        f"got {chr(0x200B).join(wrapped(plant(f'{where} with unseen characters', 'jwt'), 25))}",
    ]
    return "; ".join(parts[:1]) + "\n" + "\n".join(parts[1:])


def log(plant: Plant, where: str) -> str:
    """Lines of a log that says too much, one of them many times over."""
    lines = ["INFO start", *told(plant, where).split("\n"), f"ERROR key is {plant(f'{where} key', 'pem')}".rstrip()]
    lines += [f"DEBUG {plant(f'{where} aws', 'aws')}", f"DATABASE_URL={plant(f'{where} DATABASE_URL', 'url')}"]
    lines += [f"WARN retry {n} with token={plant(f'{where} repeated', 'token')}" for n in range(12)]
    lines += [f"ERROR {'x' * 380} password={plant(f'{where} at the cut', 'token')}"]
    return "\n".join([*lines, "INFO end"])


def logs(plant: Plant) -> dict[str, str]:
    """As a bundle saves them."""
    return {"shop/pod-x/app": log(plant, "Pod log"), "shop/pod-x/app/previous": log(plant, "Pod previous log")}
