"""Servers on this machine that speak the providers' wire protocols, as strictly as theirs, by a script."""
