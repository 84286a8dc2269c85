// The one dialog of the desk: htmx fills it, it opens; a response with `anju:done` closes it. The call bar stays in view.

class DeskDialog extends HTMLElement {
  private opener: HTMLElement | null = null;

  connectedCallback(): void {
    const box = this.box;
    document.addEventListener("htmx:beforeRequest", (event) => {
      const { target, elt } = (event as CustomEvent<{ target: Element; elt: Element }>).detail;
      if (target.id === "dialog-body" && !box.open && elt instanceof HTMLElement) this.opener = elt;
    });
    document.addEventListener("htmx:afterSwap", (event) => {
      const { target } = (event as CustomEvent<{ target: Element }>).detail;
      if (target.id !== "dialog-body" || box.open || !target.childElementCount) return;
      box.showModal();
      (box.querySelector<HTMLElement>("[autofocus]") ?? box.querySelector<HTMLElement>("input, select, textarea, button"))?.focus();
    });
    document.addEventListener("anju:done", () => box.close());
    box.addEventListener("click", (event) => {
      const pressed = event.target as Element;
      if (pressed === box || pressed.closest("[data-close]")) box.close();
    });
    box.addEventListener("close", () => {
      const body = box.querySelector("#dialog-body");
      if (body) body.innerHTML = "";
      if (this.opener?.isConnected) this.opener.focus();
    });
  }

  private get box(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }
}
customElements.define("desk-dialog", DeskDialog);
