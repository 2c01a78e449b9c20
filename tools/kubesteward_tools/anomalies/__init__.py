"""What is unlike itself, unlike its siblings, unsteady or stuck, and what a log says for the first time."""
