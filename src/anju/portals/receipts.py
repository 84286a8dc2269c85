"""Where a message service reports delivery: POST /receipts/<token> with {"status": "delivered" | "read" | "failed"}.

The token in the address is the only key; it names one message and is worth nothing else.
"""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from anju.notices import actions

LONGEST = 2000
STATUSES = frozenset({"delivered", "read", "failed"})


@csrf_exempt
@require_POST
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """204 when noted; 404 for an unknown token or a report that changes nothing; 400 for what cannot be read."""
    try:
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.body) if length <= LONGEST else None
    except ValueError:
        body = None
    status = body.get("status") if isinstance(body, dict) else None
    if status not in STATUSES:
        return JsonResponse({"error": "status 应为 delivered、read 或 failed"}, status=400)
    return HttpResponse(status=204 if actions.receipt(token=token, status=str(status)) else 404)
