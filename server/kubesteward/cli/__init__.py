"""The commands. `entry` is what the console script calls; each command has a file of its own."""
