"""Best-practice, security and lifecycle checks over manifests and clusters: `run.run` is the way in."""
