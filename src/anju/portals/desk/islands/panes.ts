// What is open: marks the current card, and on a phone shows one pane (queue, case, file) at a time.

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

document.addEventListener("htmx:afterSettle", (event) => {
  const { target, requestConfig } = (event as CustomEvent<{ target: Element; requestConfig?: { triggeringEvent?: Event } }>).detail;
  mark();
  const byHand = requestConfig?.triggeringEvent?.type === "click" || requestConfig?.triggeringEvent?.type === "submit";
  if (target.id === "case" && byHand && current()) show("case");
});

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
  if (triggeringEvent && ["click", "submit", "input", "keydown"].includes(triggeringEvent.type)) headers["X-Anju-By"] = "hand";
});
