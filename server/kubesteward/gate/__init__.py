"""The way of a change from proposed to executed or blocked."""
