"""Lists of numbers as workbooks: the empty one to fill in, one that was uploaded, the rows that were refused, the results."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from anju.portals.district.workbook import KIND, plain

LARGEST, UNPACKED, MOST_ROWS = 1_000_000, 20_000_000, 5000
"""Bytes of a file, bytes of what it holds when unpacked, rows of it that are read."""
HEAD = ("姓名", "电话")


class Unreadable(Exception):
    """The file is no list of numbers; the text says in Chinese what to do."""


def read(body: bytes) -> list[tuple[int, str, str]]:
    """Rows as (line, name, number), without empty ones. The columns are found by their head (姓名, 电话), else the first two."""
    if not body or len(body) > LARGEST:
        raise Unreadable("请选一个不超过 1 MB 的 .xlsx 文件。")
    try:
        lines = _lines(body)
    except Exception as wrong:  # whatever a broken file does to the reader
        raise Unreadable("文件打不开，请用模板另存为 .xlsx 再传。") from wrong
    head = next((n for n, line in enumerate(lines[:5]) if HEAD[1] in line), None)
    name, number = (0, 1) if head is None else (_column(lines[head], HEAD[0]), lines[head].index(HEAD[1]))
    begin = 0 if head is None else head + 1
    found = [(n, _at(line, name), _at(line, number)) for n, line in enumerate(lines[begin:], begin + 1)]
    found = [one for one in found if one[1] or one[2]]
    if not found:
        raise Unreadable("表里没有号码，请把姓名和电话填在模板的两列里。")
    if len(found) > MOST_ROWS:
        raise Unreadable(f"一次最多 {MOST_ROWS} 行，请分开传。")
    return found


def _lines(body: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        if sum(one.file_size for one in packed.infolist()) > UNPACKED:
            raise ValueError("a small file that holds too much")
    book = load_workbook(io.BytesIO(body), read_only=True, data_only=True)
    try:
        rows = book.worksheets[0].iter_rows(max_row=MOST_ROWS + 7, max_col=10, values_only=True)
        return [[_cell(c) for c in row] for row in rows]
    finally:
        book.close()


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a number that the spreadsheet took for an amount
    return "".join(c for c in str(value if value is not None else "") if c.isprintable()).strip()[:60]


def _at(line: Sequence[str], column: int) -> str:
    return line[column] if 0 <= column < len(line) else ""


def _column(line: Sequence[str], word: str) -> int:
    return line.index(word) if word in line else -1


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, note: str = "") -> HttpResponse:
    """A workbook with one sheet; texts stay texts, whatever they begin with."""
    book = Workbook()
    sheet = book.active or book.create_sheet()
    sheet.title = "名单"
    sheet.append([plain(one) for one in head])
    for row in rows:
        sheet.append([plain(one) if isinstance(one, str) else one for one in row])
    for one in sheet[1]:
        one.font = Font(bold=True)
    for n in range(1, len(head) + 1):
        sheet.column_dimensions[get_column_letter(n)].width = 20
        for cell in sheet[get_column_letter(n)]:
            cell.number_format = "@"
    if note:
        sheet.cell(row=1, column=len(head) + 2, value=note)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    file = f"attachment; filename*=UTF-8''{quote(name)}"
    return HttpResponse(out.getvalue(), content_type=KIND, headers={"Content-Disposition": file})
