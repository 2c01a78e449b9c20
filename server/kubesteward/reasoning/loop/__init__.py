"""An investigation from the question to the recommendation: one list of steps, whichever brain thinks."""
