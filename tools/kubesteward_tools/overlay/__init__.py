"""The intelligence overlay: how well a cluster or an object is, in one number with a reason for each point it lacks."""
