"""Kubernetes' own CEL functions, and those of cel-go's extensions that the engine does not bring.

API doc: "CEL options, language features and libraries". Values of types of their own (quantities, addresses, ...)
are maps with a `type`, which expressions compare and hand around and do not look into.
"""

from kubesteward_tools.twin.cel.library import lists, networks, quantities, rights, strings, versions
from kubesteward_tools.twin.cel.library.function import Function

FUNCTIONS: tuple[Function, ...] = (
    *strings.FUNCTIONS,
    *lists.FUNCTIONS,
    *quantities.FUNCTIONS,
    *networks.FUNCTIONS,
    *versions.FUNCTIONS,
    *rights.FUNCTIONS,
)
