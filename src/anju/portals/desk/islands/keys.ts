// The keyboard of the desk. Letters work when nobody is typing and no dialog is open; F-keys always.
//   j/k ↑/↓ queue · Enter open · a accept · F9 sheet · n note · b ask for the B seat · 1-9 call a contact · c register a call · ? help
//   F8 answer · F10 hang up · m mute · h hold · t transfer · g conference · d dial · r ready · o open a case of the caller

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const first = (selector: string): HTMLElement | null => document.querySelector<HTMLElement>(selector);

function step(by: number): void {
  const cards = [...document.querySelectorAll<HTMLElement>("#queue a.qcard")];
  if (!cards.length) return;
  const focused = document.activeElement instanceof HTMLElement ? cards.indexOf(document.activeElement) : -1;
  const start = focused >= 0 ? focused : cards.findIndex((card) => card.hasAttribute("aria-current"));
  const next = start < 0 ? (by > 0 ? 0 : cards.length - 1) : Math.min(Math.max(start + by, 0), cards.length - 1);
  cards[next]?.focus();
  cards[next]?.scrollIntoView({ block: "nearest" });
}

function press(key: string): boolean {
  if (key === "j" || key === "ArrowDown") step(1);
  else if (key === "k" || key === "ArrowUp") step(-1);
  else if (key === "n") return focusOn("#case .note-box input[name=text]");
  else if (first(`#case [data-focus="${CSS.escape(key)}"]`)) return focusOn(`#case [data-focus="${CSS.escape(key)}"]`);
  else if (/^[1-9]$/.test(key)) return click(`#case [data-rung="${key}"] [data-call]`);
  else if (key === "a" && !first('[data-press="a"]')) return click("#queue a.qcard[data-ring]");
  else return click(`[data-press="${CSS.escape(key)}"]:not(:disabled)`);
  return true;
}

function click(selector: string): boolean {
  const goal = first(selector);
  goal?.click();
  return goal !== null;
}

function focusOn(selector: string): boolean {
  const goal = first(selector);
  goal?.focus();
  return goal !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const open = first("dialog[open]");
  if (event.key === "F9") {
    event.preventDefault();
    if (open) (open as HTMLDialogElement).close();
    else click('[data-press="F9"]');
    return;
  }
  if (event.key === "F8" || event.key === "F10") {
    event.preventDefault();
    if (!event.repeat) click(`[data-press="${event.key}"]:not(:disabled)`);
    return;
  }
  if (open) return;
  if (event.key === "Escape" && typing(event.target)) (event.target as HTMLElement).blur();
  if (typing(event.target)) return;
  const inList = event.target instanceof Element && event.target.closest("[role=tablist], details[open]");
  if (inList && event.key.startsWith("Arrow")) return;
  if (press(event.key)) event.preventDefault();
});
