"""How each word of get_metrics is said in PromQL, by what one value is wanted of. Nobody else's PromQL is ever run.

Metric and label names are those of cAdvisor in the kubelet, kube-state-metrics, node-exporter, the DCGM exporter, and
of HTTP servers as the Prometheus clients, Micrometer, OpenTelemetry and Istio count them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

RATE = "5m"
"""Long enough for scrapes that are two minutes apart."""

_5XX = '=~"5.."'

Select = Callable[..., str]
"""Matchers to a selector of the rule's metric and of what is asked for; `name=` takes another metric."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`build` makes the expression from a selector and the labels to sum by.

    `only` are matchers of its own. `prefix` stands before the labels `namespace` and `pod` where the exporter's own
    labels are called so (`honor_labels: false`). `whole` is what the value is a share of.
    """

    metric: str
    build: Callable[[Select, str], str]
    only: str = ""
    prefix: str = ""
    whole: Callable[[Select, str], str] | None = None


Alternative = tuple[Rule, ...]
"""Rules whose answers are joined; of several alternatives, the first that has data answers."""


def _sum(select: Select, by: str) -> str:
    return f"sum by ({by}) ({select()})"


def _rate(select: Select, by: str) -> str:
    return f"sum by ({by}) (rate({select()}[{RATE}]))"


def _percent(select: Select, by: str) -> str:
    return f"avg by ({by}) ({select()}) / 100"


def _less(metric: str) -> Callable[[Select, str], str]:
    def build(select: Select, by: str) -> str:
        return f"sum by ({by}) ({select()} - {select(name=metric)})"

    return build


def _failed(metric: str, *labels: str, only: str = "") -> Rule:
    """The share of answers with a code of 5xx. Series without such a label say nothing about failure."""

    def rates(select: Select, by: str, wanted: str) -> str:
        every = " or ".join(f"rate({select(label + wanted)}[{RATE}])" for label in labels)
        return f"sum by ({by}) ({every})"

    def total(select: Select, by: str) -> str:
        return rates(select, by, '!=""')

    def bad(select: Select, by: str) -> str:
        return f"({rates(select, by, _5XX)} or 0 * {total(select, by)})"

    return Rule(metric, bad, only, whole=total)


def _p99(unit: str = "") -> Callable[[Select, str], str]:
    def build(select: Select, by: str) -> str:
        return f"histogram_quantile(0.99, sum by ({by}, le) (rate({select()}[{RATE}]))){unit}"

    return build


def _waited(select: Select, by: str) -> str:
    """All periods in which a container with a CPU limit ran at all."""
    return _rate(partial(select, name="container_cpu_cfs_periods_total"), by)


_CONTAINER = 'container!="",container!="POD"'
_WHOLE = 'id="/"'
_ROOT = 'mountpoint="/",fstype!="rootfs"'
_DEVICES = 'device!~"lo|veth.*|cali.*|cni.*|docker.*|br-.*|flannel.*"'
_INTERFACES = 'interface!~"lo|veth.*|cali.*|cni.*"'
_RECEIVER = 'reporter="destination"'
_HONOURED = 'exported_pod=""'
_EXPORTED = 'exported_pod!=""'
_GPU = "DCGM_FI_DEV_GPU_UTIL"
_RESTARTS = "kube_pod_container_status_restarts_total"

_OF_PODS: dict[str, Alternative] = {
    "cpu_usage": (Rule("container_cpu_usage_seconds_total", _rate, _CONTAINER),),
    "cpu_throttling": (Rule("container_cpu_cfs_throttled_periods_total", _rate, _CONTAINER, whole=_waited),),
    "memory_usage": (Rule("container_memory_working_set_bytes", _sum, _CONTAINER),),
    "restarts": (Rule(_RESTARTS, _sum, _EXPORTED, prefix="exported_"), Rule(_RESTARTS, _sum, _HONOURED)),
    "disk_usage": (Rule("container_fs_usage_bytes", _sum, _CONTAINER),),
    "network_receive": (Rule("container_network_receive_bytes_total", _rate, _INTERFACES),),
    "network_transmit": (Rule("container_network_transmit_bytes_total", _rate, _INTERFACES),),
    "gpu_usage": (Rule(_GPU, _percent, _EXPORTED, prefix="exported_"), Rule(_GPU, _percent, _HONOURED)),
    "error_rate": (
        _failed("http_requests_total", "code", "status"),
        _failed("http_server_requests_seconds_count", "status"),
        _failed("http_server_request_duration_seconds_count", "http_response_status_code"),
        _failed("istio_requests_total", "response_code", only=_RECEIVER),
    ),
    "request_rate": (
        Rule("http_requests_total", _rate),
        Rule("http_server_requests_seconds_count", _rate),
        Rule("http_server_request_duration_seconds_count", _rate),
        Rule("istio_requests_total", _rate, _RECEIVER),
    ),
    "latency_p99": (
        Rule("http_request_duration_seconds_bucket", _p99()),
        Rule("http_server_requests_seconds_bucket", _p99()),
        Rule("http_server_request_duration_seconds_bucket", _p99()),
        Rule("istio_request_duration_milliseconds_bucket", _p99(" / 1000"), _RECEIVER),
    ),
}

_OF_NODES: dict[str, tuple[Alternative, ...]] = {
    "cpu_usage": (
        (Rule("container_cpu_usage_seconds_total", _rate, _WHOLE),),
        (Rule("node_cpu_seconds_total", _rate, 'mode!~"idle|iowait|steal"'),),
    ),
    "memory_usage": (
        (Rule("container_memory_working_set_bytes", _sum, _WHOLE),),
        (Rule("node_memory_MemTotal_bytes", _less("node_memory_MemAvailable_bytes")),),
    ),
    "disk_usage": ((Rule("node_filesystem_size_bytes", _less("node_filesystem_avail_bytes"), _ROOT),),),
    "network_receive": ((Rule("node_network_receive_bytes_total", _rate, _DEVICES),),),
    "network_transmit": ((Rule("node_network_transmit_bytes_total", _rate, _DEVICES),),),
    "gpu_usage": ((Rule(_GPU, _percent),),),
}

_OF_CLAIMS: dict[str, Alternative] = {"disk_usage": (Rule("kubelet_volume_stats_used_bytes", _sum),)}

_SAME = {"cpu_saturation": "cpu_usage", "memory_saturation": "memory_usage"}
"""Saturation is use by limit, and the limit is the object's own."""


BY_POD = frozenset({"request_rate", "error_rate"})
"""Of a namespace these are made of its pods' values: a mesh and the pod itself may both count the same requests."""

_BY_CONTAINER = frozenset({"cpu_usage", "memory_usage", "disk_usage"})


def alternatives(query: str, level: str) -> tuple[Alternative, ...]:
    """Empty where the question makes no sense: nodes have no restarts."""
    query = _SAME.get(query, query)
    if level == "nodes":
        return _OF_NODES.get(query, ())
    if level == "containers" and query not in _BY_CONTAINER:
        return ()
    rules = (_OF_CLAIMS if level == "persistentvolumeclaims" else _OF_PODS).get(query)
    return (rules,) if rules else ()
