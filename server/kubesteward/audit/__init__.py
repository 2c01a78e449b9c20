"""What happened, in a chain: each record carries the hash of the one before it."""
