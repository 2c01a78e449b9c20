"""A rehearsal as pictures and reports: pure functions of it, for the command line, pipelines and tools alike."""
