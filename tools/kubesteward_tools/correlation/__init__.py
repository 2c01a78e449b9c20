"""What failures have in common, within one cluster and across several."""
