"""The engine's configuration: what is wanted (`plan`), what it reads as (`sip`, `dialplan`, `system`), whether it may be
loaded (`checking`), and how it gets there (`writing`). Nothing here knows a table."""
