"""What the brains cost: usage, prices, budgets, and answers that were paid for. Nothing of it is loaded at start."""
