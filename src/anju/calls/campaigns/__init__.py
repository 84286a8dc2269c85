"""Campaigns: one matter, many people, a window of the day; robots or agents ring, after every other planned call (CALL-08)."""
