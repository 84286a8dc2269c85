// `hx-swap="morph:outerHTML"`: changes what differs and leaves the rest, so that focus, typing, scrolling and open menus stay.
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import { htmx } from "./htmx";

/** Elements with data-keep belong to the person at the desk: a swap never touches them while their id is still there. */
const kept = (old: Node, fresh: Node): boolean =>
  old instanceof HTMLElement && fresh instanceof HTMLElement && old.hasAttribute("data-keep") && old.id === fresh.id;

const callbacks = {
  beforeNodeMorphed: (old: Node, fresh: Node): boolean => !kept(old, fresh),
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
