// A phone shows each row of a `<table data-cards>` as a card without the head of the table: then every cell that would be
// a riddle alone (numbers, and columns with `data-say`) carries the name of its column. Style: more.css.

function label(table: HTMLTableElement): void {
  const heads = [...table.querySelectorAll<HTMLTableCellElement>("thead th")];
  for (const row of table.tBodies[0]?.rows ?? []) {
    let column = 0;
    for (const cell of row.cells) {
      const head = heads[column];
      column += cell.colSpan;
      if (head && ("num" in head.dataset || "say" in head.dataset)) cell.dataset["label"] = head.textContent.trim();
    }
  }
}

document.querySelectorAll<HTMLTableElement>("table[data-cards]").forEach(label);
