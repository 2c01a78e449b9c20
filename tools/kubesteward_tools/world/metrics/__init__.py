"""What a cluster uses and has used: own samples, what is usual at this hour, and what a monitoring system says."""
