// What is open: marks the current card, and on a phone shows one pane (queue, case, file) at a time.

import { htmx } from "./htmx";

interface BeforeSwap {
  shouldSwap: boolean;
  target: Element;
  requestConfig: { headers: Record<string, string>; path: string; verb: string };
}

const current = (): string => document.querySelector<HTMLElement>("#case")?.dataset["incident"] ?? "";

/** The queue is swapped on its own; the card of the open case is marked here. */
function mark(): void {
  const open = current();
  document.querySelectorAll<HTMLElement>("#queue a.qcard").forEach((card) => {
    const here = open !== "" && card.dataset["incident"] === open;
    if (here !== card.hasAttribute("aria-current")) {
      if (here) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
    }
  });
}

function show(pane: string): void {
  const desk = document.getElementById("desk");
  if (!desk) return;
  desk.dataset["pane"] = pane;
  desk.querySelectorAll<HTMLElement>("[data-pane-of]").forEach((tab) =>
    tab.setAttribute("aria-selected", String(tab.dataset["paneOf"] === pane)),
  );
}

document.addEventListener("click", (event) => {
  const pressed = event.target instanceof Element ? event.target : null;
  const tab = pressed?.closest<HTMLElement>("[data-pane-of]");
  if (tab) show(tab.dataset["paneOf"] ?? "queue");
  const fileTab = pressed?.closest<HTMLElement>("[role=tab]");
  if (fileTab)
    fileTab.parentElement?.querySelectorAll("[role=tab]").forEach((one) => one.setAttribute("aria-selected", String(one === fileTab)));
});

let opening: AbortController | undefined;

/** Not through htmx: a part that refreshes itself at the same moment must neither delay nor undo what the agent wants to see. */
export async function open(path: string): Promise<void> {
  opening?.abort();
  const mine = (opening = new AbortController());
  const place = document.getElementById("case");
  place?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(path, { headers: { "HX-Request": "true", "X-Anju-By": "hand" }, signal: mine.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const fresh = holder.content.firstElementChild;
    const old = document.getElementById("case");
    if (mine.signal.aborted || !fresh || !old) return;
    old.replaceWith(fresh);
    htmx.process(fresh);
    history.replaceState(null, "", path);
    mark();
    show("case");
  } catch {
    if (!mine.signal.aborted) window.location.assign(path); // the whole page says what is wrong
  } finally {
    document.getElementById("case")?.removeAttribute("aria-busy");
  }
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-open]") : null;
  if (!link || event.ctrlKey || event.metaKey || event.button) return;
  event.preventDefault();
  void open(new URL(link.href).pathname);
});

document.addEventListener("htmx:afterSettle", mark);

/** Say at once that something was pressed: the button waits, and a second press does nothing. */
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
  if (elt instanceof HTMLFormElement) elt.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
  elt.removeAttribute("aria-busy");
});

mark();

/** What a person did by hand keeps her log-in awake; what the page fetches by itself does not. */
document.addEventListener("htmx:configRequest", (event) => {
  const { headers, triggeringEvent } = (event as CustomEvent<{ headers: Record<string, string>; triggeringEvent?: Event }>).detail;
  const hand = triggeringEvent && ["click", "submit", "input", "keydown"].includes(triggeringEvent.type);
  headers["X-Anju-By"] ??= hand ? "hand" : "machine";
  headers["X-CSRFToken"] = document.body.dataset["csrf"] ?? "";
});

/** The second click of a double click may land on a button that has just changed its meaning (入席 → 离席): it does nothing. */
document.addEventListener(
  "click",
  (event) => {
    if (event.detail < 2 || !(event.target instanceof Element) || !event.target.closest("#case button, dialog button")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);

/** A part that fetched itself must not come over what the agent opened meanwhile. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = (event as CustomEvent<BeforeSwap>).detail;
  if (target.id !== "case" || requestConfig.verb !== "get") return;
  const asked = /^\/desk\/incident\/(\d+)$/.exec(requestConfig.path)?.[1] ?? "";
  if (asked !== current()) (event as CustomEvent<BeforeSwap>).detail.shouldSwap = false;
});
