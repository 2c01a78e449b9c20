"""What thinks: hosted models, local models and the built-in catalogue behind one protocol. `base` is that protocol."""
