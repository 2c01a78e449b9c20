"""The reports of one rehearsal, as they are."""
# ruff: noqa: E501 - the lines of a picture are as long as they are

from __future__ import annotations

from inline_snapshot import snapshot
from tests.tools.pictures.rehearsals import SUMMARY, rehearsal

from kubesteward_tools.pictures.markdown import report
from kubesteward_tools.pictures.mermaid import timeline
from kubesteward_tools.pictures.page import page
from kubesteward_tools.pictures.svg import picture
from kubesteward_tools.twin.rehearsal import Rehearsal, Step

SAFE = Rehearsal(verdict="safe", admission=())


def test_markdown() -> None:
    assert report(rehearsal(), SUMMARY, "prod") == snapshot("""\
## Rehearsal: blocked

Scale Deployment shop/web from 3 to 9 replicas on `prod`. It must not be done like this.

### Findings

- **blocks** `quota.exceeded` `deployment shop/web`: no web
- **warning** `pdb.broken` `x shop/web`: b web *r web*
- **note** `config.changed` `configmap shop/elsewhere`: c web

### Ready pods and endpoints

| object | before | at least | at the end | at least, if new pods never become ready | at the end |
|---|---:|---:|---:|---:|---:|
| `deployment shop/web` | 3 | 2 | 9 | 0 | 1 |

1 pod started, 1 stopped (25% of the namespace's, 1% of the cluster's).

- `shop/web-2` stays Pending: 0/3 nodes are available: web

### Timeline

```mermaid
gantt
  title Minutes and seconds from the change, if new pods become ready
  dateFormat x
  axisFormat %M:%S
  section deployments.apps
  - shop/web replicas 3 to 9 0 s :t0, 0, 100
  section pods
  - shop/web-1 created 0 s, placed on web 0.1 s, ready 2.5 s :active, t1, 0, 2500
  - shop/web-0 stopping 2.5 s, gone 32.5 s :crit, t2, 2500, 32500
```

### Blast radius

```mermaid
flowchart LR
  change["Scale Deployment shop/web from 3 to 9 replicas"]
  t0["secret shop/web<br/>deleted"]
  t1["deployment shop/web<br/>changed"]:::block
  t2["configmap shop/web<br/>created"]
  p0["1 pod<br/>stop"]:::warn
  p1["1 pod<br/>start"]
  p2["pod shop/web-2<br/>stays Pending"]:::block
  p3["patch /apis/web<br/>refused with 422"]:::block
  r0["deployment shop/web<br/>ready 3, 2 at least, 0 if new ones fail"]:::block
  r1["service shop/web"]
  r2["x shop/web"]:::warn
  r3["configmap shop/elsewhere"]:::info
  change --> t0
  change --> t1
  change --> t2
  change --> p0
  change --> p1
  change --> p2
  change --> p3
  p0 -.-> r0
  p0 -.-> r1
  p0 -.-> r2
  p0 -.-> r3
  classDef block fill:#ffdce0,stroke:#b3261e,color:#410002
  classDef warn fill:#ffefc7,stroke:#9a6700,color:#3b2300
  classDef info fill:#ddf4ff,stroke:#0969da,color:#032b54
```

### Assumed and not simulated

- admission webhook web is not simulated
""")


def test_markdown_of_nothing_at_all() -> None:
    assert report(SAFE, "Apply ConfigMap shop/a") == snapshot("""\
## Rehearsal: safe

Apply ConfigMap shop/a. Nothing stands against it.

0 pods started, 0 stopped.

### Blast radius

```mermaid
flowchart LR
  change["Apply ConfigMap shop/a"]
  classDef block fill:#ffdce0,stroke:#b3261e,color:#410002
  classDef warn fill:#ffefc7,stroke:#9a6700,color:#3b2300
  classDef info fill:#ddf4ff,stroke:#0969da,color:#032b54
```
""")


def test_page() -> None:
    assert [f"{item.style:8}{item.text}" for item in page(rehearsal(), SUMMARY, "prod")] == snapshot(
        [
            "head    Scale Deployment shop/web from 3 to 9 replicas (prod)",
            "blocked blocked: It must not be done like this.",
            "blocked   block quota.exceeded: no web",
            "warn      warn pdb.broken: b web",
            "dim         r web",
            "dim       info config.changed: c web",
            "plain   1 pod started, 1 stopped (25% of the namespace's); 3 objects touched",
            "warn      pending shop/web-2: 0/3 nodes are available: web",
            "head      ready pods and endpoints  before  least  end   never ready: least  end",
            "plain     deployment shop/web            3      2    9                    0    1",
            "head    Timeline, if new pods become ready",
            "dim             0 s  deployments.apps shop/web: replicas 3 to 9",
            "dim             0 s  pods shop/web-1: created",
            "dim           0.1 s  pods shop/web-1: placed on web",
            "dim           2.5 s  pods shop/web-1: ready",
            "dim           2.5 s  pods shop/web-0: stopping",
            "dim          32.5 s  pods shop/web-0: gone",
            "head    Assumed and not simulated",
            "dim       admission webhook web is not simulated",
        ]
    )


def test_svg() -> None:
    assert [line for line in picture(rehearsal(), SUMMARY).splitlines() if "<style>" not in line] == snapshot(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" width="960" height="462" viewBox="0 0 960 462" role="img" aria-labelledby="title desc">',
            '<title id="title">Rehearsal: blocked</title>',
            '<desc id="desc">Scale Deployment shop/web from 3 to 9 replicas. It must not be done like this. 1 pod started, 1 stopped. Findings: no web; b web; c web.</desc>',
            '<rect class="page" width="960" height="462"/>',
            '<text class="text head" x="24" y="32">Rehearsal: blocked</text>',
            '<text class="dim" x="24" y="52">Scale Deployment shop/web from 3 to 9 replicas. It must not be done like this.</text>',
            '<text class="text head" x="24" y="86">Timeline, if new pods become ready</text>',
            '<text class="dim" x="354" y="86">+ starts, - stops, ~ changes</text>',
            '<line class="rule" x1="354.0" y1="118" x2="354.0" y2="188"/>',
            '<text class="dim" x="354.0" y="112" text-anchor="start">0 s</text>',
            '<line class="rule" x1="497.5" y1="118" x2="497.5" y2="188"/>',
            '<text class="dim" x="497.5" y="112" text-anchor="middle">8.125 s</text>',
            '<line class="rule" x1="641.0" y1="118" x2="641.0" y2="188"/>',
            '<text class="dim" x="641.0" y="112" text-anchor="middle">16.25 s</text>',
            '<line class="rule" x1="784.5" y1="118" x2="784.5" y2="188"/>',
            '<text class="dim" x="784.5" y="112" text-anchor="middle">24.38 s</text>',
            '<line class="rule" x1="928.0" y1="118" x2="928.0" y2="188"/>',
            '<text class="dim" x="928.0" y="112" text-anchor="end">32.5 s</text>',
            "<g><title>deployments.apps shop/web: replicas 3 to 9 0 s</title>",
            '<text class="text" x="24" y="137">~ deployments.apps shop/web</text>',
            '<rect class="change" x="354.0" y="126" width="4" height="14" rx="3"/></g>',
            "<g><title>pods shop/web-1: created 0 s, placed on web 0.1 s, ready 2.5 s</title>",
            '<text class="text" x="24" y="159">+ pods shop/web-1</text>',
            '<rect class="start" x="354.0" y="148" width="44.2" height="14" rx="3"/></g>',
            "<g><title>pods shop/web-0: stopping 2.5 s, gone 32.5 s</title>",
            '<text class="text" x="24" y="181">- pods shop/web-0</text>',
            '<rect class="stop" x="398.2" y="170" width="529.8" height="14" rx="3"/></g>',
            '<text class="text head" x="24" y="224">Blast radius</text>',
            '<path class="arrow" d="M308 258 C323 258 323 258 338 258"/>',
            '<path class="arrow" d="M308 258 C323 258 323 308 338 308"/>',
            '<path class="arrow" d="M308 258 C323 258 323 358 338 358"/>',
            '<path class="arrow" d="M308 258 C323 258 323 408 338 408"/>',
            '<path class="arrow" d="M622 258 C637 258 637 258 652 258"/>',
            '<path class="arrow" d="M622 258 C637 258 637 308 652 308"/>',
            '<path class="arrow" d="M622 258 C637 258 637 358 652 358"/>',
            '<path class="arrow" d="M622 258 C637 258 637 408 652 408"/>',
            "<g><title>Scale Deployment shop/web from 3 to 9 replicas the change</title>",
            '<rect class="box" x="24" y="238" width="284" height="40" rx="6"/>',
            '<text class="text" x="34" y="255">Scale Deployment shop/web from 3 to 9 r…</text>',
            '<text class="dim" x="34" y="271">the change</text></g>',
            "<g><title>secret shop/web deleted</title>",
            '<rect class="box" x="24" y="288" width="284" height="40" rx="6"/>',
            '<text class="text" x="34" y="305">secret shop/web</text>',
            '<text class="dim" x="34" y="321">deleted</text></g>',
            "<g><title>deployment shop/web changed</title>",
            '<rect class="block" x="24" y="338" width="284" height="40" rx="6"/>',
            '<text class="text" x="34" y="355">deployment shop/web</text>',
            '<text class="dim" x="34" y="371">changed</text></g>',
            "<g><title>configmap shop/web created</title>",
            '<rect class="box" x="24" y="388" width="284" height="40" rx="6"/>',
            '<text class="text" x="34" y="405">configmap shop/web</text>',
            '<text class="dim" x="34" y="421">created</text></g>',
            "<g><title>1 pod stop</title>",
            '<rect class="warn" x="338" y="238" width="284" height="40" rx="6"/>',
            '<text class="text" x="348" y="255">1 pod</text>',
            '<text class="dim" x="348" y="271">stop</text></g>',
            "<g><title>1 pod start</title>",
            '<rect class="box" x="338" y="288" width="284" height="40" rx="6"/>',
            '<text class="text" x="348" y="305">1 pod</text>',
            '<text class="dim" x="348" y="321">start</text></g>',
            "<g><title>pod shop/web-2 stays Pending</title>",
            '<rect class="block" x="338" y="338" width="284" height="40" rx="6"/>',
            '<text class="text" x="348" y="355">pod shop/web-2</text>',
            '<text class="dim" x="348" y="371">stays Pending</text></g>',
            "<g><title>patch /apis/web refused with 422</title>",
            '<rect class="block" x="338" y="388" width="284" height="40" rx="6"/>',
            '<text class="text" x="348" y="405">patch /apis/web</text>',
            '<text class="dim" x="348" y="421">refused with 422</text></g>',
            "<g><title>deployment shop/web ready 3, 2 at least, 0 if new ones fail</title>",
            '<rect class="block" x="652" y="238" width="284" height="40" rx="6"/>',
            '<text class="text" x="662" y="255">deployment shop/web</text>',
            '<text class="dim" x="662" y="271">ready 3, 2 at least, 0 if new ones fail</text></g>',
            "<g><title>service shop/web</title>",
            '<rect class="box" x="652" y="288" width="284" height="40" rx="6"/>',
            '<text class="text" x="662" y="305">service shop/web</text>',
            '<text class="dim" x="662" y="321"></text></g>',
            "<g><title>x shop/web</title>",
            '<rect class="warn" x="652" y="338" width="284" height="40" rx="6"/>',
            '<text class="text" x="662" y="355">x shop/web</text>',
            '<text class="dim" x="662" y="371"></text></g>',
            "<g><title>configmap shop/elsewhere</title>",
            '<rect class="info" x="652" y="388" width="284" height="40" rx="6"/>',
            '<text class="text" x="662" y="405">configmap shop/elsewhere</text>',
            '<text class="dim" x="662" y="421"></text></g>',
            "</svg>",
        ]
    )


def test_what_does_not_fit_into_a_picture_is_counted() -> None:
    steps = tuple(Step(t=number, object=f"pods shop/p{number}", what="created") for number in range(60))
    many = SAFE.model_copy(update={"timeline": steps})

    assert timeline(many, 10).splitlines()[-1] == "  and 50 more :milestone, more, 9000, 0ms"
    assert "and 20 more objects" in picture(many, SUMMARY)


def test_the_same_rehearsal_gives_the_same_bytes() -> None:
    assert picture(rehearsal(), SUMMARY) == picture(rehearsal(), SUMMARY)
    assert report(rehearsal(), SUMMARY) == report(rehearsal(), SUMMARY)
