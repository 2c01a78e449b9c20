"""User guardrails at work: which files hold them, which set is in force, and what they are told about a change."""
