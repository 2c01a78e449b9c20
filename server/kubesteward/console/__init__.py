"""The approvals page: what is proposed, what would come of it, and a person's yes or no. No model has a way to it."""
