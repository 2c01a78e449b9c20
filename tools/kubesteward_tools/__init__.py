"""What can be known about a cluster and what can be proposed for it. Nothing here can write to a cluster."""
