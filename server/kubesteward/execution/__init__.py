"""Acting on a cluster: the one client that may write, snapshots before, verification after."""
