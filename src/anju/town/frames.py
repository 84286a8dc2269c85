"""Binary frames of the demo's one product that speaks no JSON (the reading side is `signals/decoders/bing.py`)."""

from __future__ import annotations
