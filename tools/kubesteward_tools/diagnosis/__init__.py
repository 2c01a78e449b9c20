"""Why something is wrong, found by rules alone: analysers name candidates, the ranking follows them to the root."""
