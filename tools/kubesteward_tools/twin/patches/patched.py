"""The object that a patch makes of another, by the patch's media type."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from kubesteward_tools.twin import status
from kubesteward_tools.twin.patches import json_patch, merge_patch, strategic_patch
from kubesteward_tools.world.store import Object


def patched(old: Object, patch: Any, content_type: str) -> Object:
    """The object that a patch asks for.

    Raises:
        ApiError: 400 or 422 for a malformed patch, 415 for an unknown media type.
    """
    if content_type == JSON_PATCH:
        result: Object = json_patch.apply(old, patch)
        return result
    if not isinstance(patch, dict):
        raise status.bad_request("error decoding patch: the patch must be a JSON object")
    if content_type == MERGE_PATCH:
        merged: Object = merge_patch.apply(old, patch)
        return merged
    if content_type in {STRATEGIC_PATCH, APPLY_PATCH}:
        return strategic_patch.apply(old, patch)
    raise status.unsupported_media_type()
