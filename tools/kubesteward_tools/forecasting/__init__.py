"""What runs out, and when: whose course is known, what its limit is, and what the samples say about both."""
