// The small part of htmx that the desk calls; the script itself is loaded by the page.
export interface Swap {
  swapStyle: string;
  swapDelay: number;
  settleDelay: number;
}

export interface Htmx {
  trigger(target: Element, name: string, detail?: unknown): void;
  process(target: Element): void;
  defineExtension(name: string, extension: object): void;
  swap(target: Element, content: string, how: Swap, options: { contextElement: Element; eventInfo: object; afterSwapCallback: () => void }): void;
  config: Record<string, unknown>;
}

declare global {
  interface Window {
    htmx: Htmx;
  }
}

export const htmx: Htmx = window.htmx;
