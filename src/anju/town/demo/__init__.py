"""The demo district: what `manage.py demo` makes, one step a file. Invented people only; never in production."""
