"""KubeSteward's own memory: one SQLite file."""
