// `<typed-form to="/…">` around a form: what the agent touches is kept on the server as she goes (only what she touched:
// a box that was merely preset says nothing), so that a limit that runs out, a closed page or a crash loses none of it.

const PAUSE = 700; // ms after the last key

class TypedForm extends HTMLElement {
  private touched = new Set<string>();
  private timer = 0;

  connectedCallback(): void {
    this.addEventListener("input", (event) => {
      const name = (event.target as HTMLInputElement).name;
      if (!name) return;
      this.touched.add(name);
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.keep(), PAUSE);
    });
    this.addEventListener("submit", () => this.forget());
    window.addEventListener("pagehide", this.flush);
  }

  disconnectedCallback(): void {
    window.removeEventListener("pagehide", this.flush);
    this.flush();
  }

  private flush = (): void => {
    if (this.timer) this.keep();
  };

  private forget(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.touched.clear();
  }

  private keep(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    const form = this.querySelector("form");
    const to = this.getAttribute("to");
    if (!form || !to || !this.touched.size) return;
    const said = new FormData();
    for (const [name, value] of new FormData(form)) if (this.touched.has(name) || name === "call" || name === "csrfmiddlewaretoken") said.append(name, value);
    void fetch(to, { method: "POST", body: said, keepalive: true, credentials: "same-origin" }).catch(() => undefined);
  }
}
customElements.define("typed-form", TypedForm);
