"""Plans of several steps: what is wanted, read, drafted and rehearsed one step after the other."""
