"""The guide's scripts beside the call or the case: found, chosen, filled in."""
