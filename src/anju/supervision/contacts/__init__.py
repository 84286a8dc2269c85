"""Letters, messages and visits: whoever writes instead of ringing is a contact too, with an owner, a clock and an answer (CALL-12)."""
