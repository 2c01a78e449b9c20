"""The control plane simulated: pure state transitions over a copy-on-write store, with time passed in."""
