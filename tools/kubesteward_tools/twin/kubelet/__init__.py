"""What happens to a pod on its node: pulled, started, probed, restarted, stopped, and all of it reported."""
