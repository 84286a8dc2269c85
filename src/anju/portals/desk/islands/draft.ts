// `<draft-text key="note-37">` around an input: what was typed survives a change of case, a swap and a reload; sent is forgotten.

class DraftText extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement | HTMLTextAreaElement>("input[name], textarea[name]");
    const form = this.closest("form");
    if (!input || !form) return;
    const key = `anju_draft_${this.getAttribute("key")}`;
    input.value ||= sessionStorage.getItem(key) ?? "";
    input.addEventListener("input", () => {
      if (input.value) sessionStorage.setItem(key, input.value);
      else sessionStorage.removeItem(key);
    });
    let sent = "";
    form.addEventListener("htmx:beforeSend", () => (sent = input.value));
    form.addEventListener("htmx:afterRequest", (event) => {
      const { successful, xhr } = (event as CustomEvent<{ successful: boolean; xhr: XMLHttpRequest }>).detail;
      if (!successful || xhr.getResponseHeader("X-Anju-Refused")) return;
      if (input.value !== sent) return; // the next line was begun while this one was on its way
      sessionStorage.removeItem(key);
      input.value = "";
    });
  }
}
customElements.define("draft-text", DraftText);
