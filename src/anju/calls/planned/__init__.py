"""Calls that are planned: care calls, wake-up calls, medication reminders, follow-ups. One plan, its dated calls, one process."""
