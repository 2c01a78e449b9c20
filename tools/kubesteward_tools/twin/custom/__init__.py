"""Custom resources: what CustomResourceDefinitions make the API server serve, and how it treats such objects."""
