// What every page may use: living clocks, the night switch, "/" to search, menus that close.
import "./cards";
import "./drawer";
import "./time";
import "./when";

/** `<theme-switch><button>`: day and night; kept in a cookie so that the server draws the next page right at once. */
class ThemeSwitch extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", () => {
      const root = document.documentElement;
      const dark = root.dataset["theme"] !== "dark";
      if (dark) root.dataset["theme"] = "dark";
      else delete root.dataset["theme"];
      document.cookie = `anju_theme=${dark ? "dark" : "day"}; path=/; max-age=31536000; samesite=lax`;
      this.mark();
    });
    this.mark();
  }

  private mark(): void {
    const dark = document.documentElement.dataset["theme"] === "dark";
    this.querySelector("button")?.setAttribute("aria-pressed", String(dark));
  }
}
customElements.define("theme-switch", ThemeSwitch);

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach((m) => (m.open = false));
  if (typing(event.target)) return;
  const goal = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
  if (!goal) return;
  event.preventDefault();
  if (typing(goal)) goal.focus();
  else goal.click();
});

document.addEventListener("click", (event) => {
  document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  });
});

document.addEventListener("click", (event) => {
  if ((event.target as Element).closest("[data-print]")) window.print();
});
