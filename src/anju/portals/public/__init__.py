"""Pages that need no log-in: a message to the centre, its answer, and the door of the WeChat official account."""
