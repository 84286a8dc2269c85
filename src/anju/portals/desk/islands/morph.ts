// `hx-swap="morph:outerHTML"`: changes what differs and leaves the rest, so that focus, typing, scrolling and open menus stay.
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import { htmx } from "./htmx";

/** Elements with data-keep belong to the person at the desk: a swap never touches them while their id is still there. */
const kept = (old: Node, fresh: Node): boolean =>
  old instanceof HTMLElement && fresh instanceof HTMLElement && old.hasAttribute("data-keep") && old.id === fresh.id;

/** A card of the queue that stands here in this very version: the server sends its name only. */
const same = (fresh: Node): boolean => fresh instanceof HTMLElement && fresh.hasAttribute("data-same");

const callbacks = {
  beforeNodeMorphed: (old: Node, fresh: Node): boolean => !kept(old, fresh) && !same(fresh),
  beforeAttributeUpdated: (name: string, node: Element): boolean =>
    !(name === "open" && (node instanceof HTMLDetailsElement || node instanceof HTMLDialogElement)),
};

htmx.defineExtension("morph", {
  isInlineSwap: (style: string) => style === "morph:outerHTML",
  handleSwap: (style: string, target: Element, fragment: DocumentFragment): Element[] | undefined => {
    if (!style.startsWith("morph:")) return undefined;
    const morphStyle = style === "morph:innerHTML" ? "innerHTML" : "outerHTML";
    return Idiomorph.morph(target, fragment.children, { morphStyle, callbacks, ignoreActiveValue: true });
  },
});

interface Arrived {
  shouldSwap: boolean;
  target: Element;
  serverResponse: string;
  swapOverride?: string;
  requestConfig: { elt: Element };
  xhr: XMLHttpRequest;
}

/** What the server wants to be told to the page once its answer is there: names, or names with details. */
function tell(news: string | null): void {
  if (!news) return;
  const told = news.startsWith("{") ? (JSON.parse(news) as Record<string, unknown>) : Object.fromEntries(news.split(",").map((name) => [name.trim(), {}]));
  for (const [name, detail] of Object.entries(told)) htmx.trigger(document.body, name, detail);
}

/**
 * The button that asked is gone when the answer comes (a call is answered, its card goes). htmx looks from the button for our
 * extension and for places beside the target (`hx-swap-oob`), finds neither in what was cut out of the page, and would put the
 * answer into the target and lose its words. So the target is asked. On the window: who refuses an answer has spoken by then.
 */
window.addEventListener("htmx:beforeSwap", (event) => {
  const arrived = (event as CustomEvent<Arrived>).detail;
  const asker = arrived.requestConfig.elt;
  if (!arrived.shouldSwap || asker.isConnected || !arrived.target.isConnected) return;
  arrived.shouldSwap = false;
  const swapStyle = arrived.swapOverride ?? asker.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
  htmx.swap(arrived.target, arrived.serverResponse, { swapStyle, swapDelay: 0, settleDelay: 20 }, {
    contextElement: arrived.target,
    eventInfo: arrived,
    afterSwapCallback: () => tell(arrived.xhr.getResponseHeader("HX-Trigger-After-Swap")),
  });
});

/** What the queue shows goes with the request for it, so that only cards come that are new or read differently. */
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers } = (event as CustomEvent<{ elt: Element; headers: Record<string, string> }>).detail;
  if (elt.id !== "queue") return;
  const cards = elt.querySelectorAll<HTMLElement>("li[data-version]:not([data-same])");
  headers["X-Anju-Shown"] = [...cards].map((card) => card.dataset["version"]).join(" ");
});

/** A name without its card (the page changed while the answer was under way): fetch again, whole. */
document.addEventListener("htmx:afterSwap", () => {
  const bare = document.querySelectorAll("#queue li[data-same]");
  bare.forEach((card) => card.remove());
  const queue = document.getElementById("queue");
  if (bare.length && queue) htmx.trigger(queue, "refresh");
});

/**
 * A form that is sent before htmx knows it (its answer came in this very moment) would leave the desk, and a call with it.
 * htmx is told of it, and it is sent again. (To let htmx settle at once instead lost refreshes that waited for their turn: one
 * SOS in two hundred was not shown for 15 seconds, measured by benchmarks/desk.)
 */
const late = new WeakSet<HTMLFormElement>();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !event.isTrusted || !(form instanceof HTMLFormElement) || !form.hasAttribute("hx-post")) return;
  event.preventDefault();
  if (late.has(form)) return;
  late.add(form);
  htmx.process(form);
  window.setTimeout(() => form.requestSubmit(event.submitter as HTMLElement | null));
});
