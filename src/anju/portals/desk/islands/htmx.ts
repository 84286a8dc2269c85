// The small part of htmx that the desk calls; the script itself is loaded by the page.
export interface Htmx {
  trigger(target: Element, name: string, detail?: unknown): void;
  process(target: Element): void;
  defineExtension(name: string, extension: object): void;
  config: Record<string, unknown>;
}

declare global {
  interface Window {
    htmx: Htmx;
  }
}

export const htmx: Htmx = window.htmx;
