"""Who may do what in a cluster, and through which bindings."""
