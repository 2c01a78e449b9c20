"""The world model: what is known about each cluster, indexed and with its age."""
