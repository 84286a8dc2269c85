"""A table of figures as a workbook: numbers as numbers, one sheet of definitions, nothing that a spreadsheet would run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from urllib.parse import quote

from django.http import HttpResponse
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from anju.calls.kpis import Counts, Kpi

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def answer(
    title: str, columns: Sequence[Kpi], lines: Sequence[tuple[str, Counts]], whole: Counts, group: str
) -> HttpResponse:
    """Figures by line, their counts on a second sheet (so that they can be computed again), definitions on a third."""
    book = Workbook()
    sheet = book.active or book.create_sheet()
    sheet.title = "指标"
    sheet.append([title])
    sheet.append([group, *[f"{k.label}（{k.unit}）" for k in columns]])
    for name, counts in [*lines, ("合计", whole)]:
        sheet.append([plain(name), *[None if (v := k.of(counts)) is None else round(v, 2) for k in columns]])
    raw = book.create_sheet("计数")
    fields = list(Counts.__dataclass_fields__)
    raw.append([group, *fields])
    for name, counts in [*lines, ("合计", whole)]:
        raw.append([plain(name), *[getattr(counts, f) for f in fields]])
    said = book.create_sheet("口径")
    said.append(["指标", "单位", "口径", "依据", "目标"])
    for k in columns:
        said.append([k.label, k.unit, k.sentence, k.basis, k.target])
    for page, row in ((sheet, 2), (raw, 1), (said, 1)):
        for one in page[row]:
            one.font = Font(bold=True)
        page.freeze_panes = page.cell(row=row + 1, column=2)
        for n in range(1, page.max_column + 1):
            page.column_dimensions[get_column_letter(n)].width = 16
    said.column_dimensions["C"].width = 70
    out = io.BytesIO()
    book.save(out)
    name = quote(f"{title}.xlsx")
    return HttpResponse(
        out.getvalue(), content_type=KIND, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    )


def plain(text: str) -> str:
    """A name that begins like a formula stays a name."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
