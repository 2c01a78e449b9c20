"""The scheduler: which nodes can take a pod, and if none can, why, in kube-scheduler's words."""
