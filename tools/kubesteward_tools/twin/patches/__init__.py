"""The patch types that change an object by instruction. Each returns a new object and leaves the old alone."""
