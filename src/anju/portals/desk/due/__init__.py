"""What agents owe people outside the queue of calls: planned calls that nobody answered, messages that wait for a word."""
