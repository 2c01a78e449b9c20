"""What can be computed from observations: patterns in logs."""
