"""What happens to a pod on its node: it is pulled, started, probed, restarted and stopped, and all of it is reported."""
