"""The embedded cluster: the twin's control plane behind a loopback HTTP server that real kubectl works against."""

from __future__ import annotations
