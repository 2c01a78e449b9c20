"""What every tool call passes, in one visible order."""
