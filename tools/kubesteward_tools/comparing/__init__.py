"""Two states of one thing, wherever they come from, and what is really different between them."""
