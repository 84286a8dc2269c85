"""The seat's telephone on the desk: call bar, callers, screen pop, wallboard. Reads `calls.queries`, asks `calls.actions`."""
