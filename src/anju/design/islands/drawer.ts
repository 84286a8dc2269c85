// <side-drawer>: a dialog at the side of the page that shows the form htmx put into it. Without scripts the same link is a page.

class SideDrawer extends HTMLElement {
  private get dialog(): HTMLDialogElement | null {
    return this.querySelector("dialog");
  }

  connectedCallback(): void {
    this.addEventListener("htmx:afterSwap", () => {
      if (!this.dialog?.open) this.dialog?.showModal();
      this.querySelector<HTMLElement>("[aria-invalid=true], .notice, input:not([type=hidden]), select, textarea")?.focus();
    });
    this.addEventListener("click", (event) => {
      const target = event.target as Element;
      if (target !== this.dialog && !target.closest("[data-close]")) return; // the dialog itself: beside its content
      event.preventDefault();
      this.dialog?.close();
    });
    this.dialog?.addEventListener("close", () => this.querySelector(".drawer__body-of")?.replaceChildren());
  }
}
customElements.define("side-drawer", SideDrawer);
