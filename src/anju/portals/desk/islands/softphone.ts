// `<soft-phone>`: this seat's telephone. It stands outside every region that is swapped, so a call outlives every page update,
// a restart of the web server and, with a new registration, a restart of the engine. What the seat *is* (ready, break, wrap-up)
// is the server's; what the telephone *can* (registered, heard) is told here, in colour, icon and word.
import { Guard, PAGE } from "./guard";
import { MicCheck, refusal, silence, voice, type MicState } from "./mic";
import { LINE_HELP, LINE_WORDS, type Config, type Connect, type Line, type LineState, type Talk } from "./phone";
import { refresh } from "./live";

const HANG_UP_PATIENCE = 3000; // ms until the browser hangs up by itself, when the server does not
const LEFT_OVER = 6000; // ms a call may live here that the server no longer knows
const MIC_OK = "anju_mic_ok";

class SoftPhone extends HTMLElement {
  private lineState: LineState = "starting";
  private why = "";
  private talk: Talk = "idle";
  private mic: MicState = "unknown";
  private trouble = "";
  private config: Config | undefined;
  private line: Line | undefined;
  private guard: Guard | undefined;
  private check: MicCheck | undefined;
  private stream: MediaStream | null = null;
  private afterCheck: (() => void) | undefined;
  private strayAt = 0;
  private seenMine = false;
  private tick: number | undefined;
  private observer = new MutationObserver(() => this.serverSaid());

  connectedCallback(): void {
    this.innerHTML = `<button class="phone" type="button" aria-expanded="false"></button><div class="phone__panel" popover></div>`;
    this.button.popoverTargetElement = this.panel;
    this.panel.addEventListener("toggle", (event) => this.toggled((event as ToggleEvent).newState === "open"));
    document.addEventListener("click", this.pressed, { capture: true });
    document.addEventListener("keydown", this.keyed, { capture: true });
    window.addEventListener("beforeunload", this.unloading);
    window.addEventListener("pagehide", this.leaving);
    navigator.mediaDevices?.addEventListener("devicechange", this.devices);
    const call = document.getElementById("phone");
    if (call?.parentElement) this.observer.observe(call.parentElement, { subtree: true, childList: true, attributes: true });
    this.tick = window.setInterval(() => this.lookAfter(), 1000);
    this.mic = sessionStorage.getItem(MIC_OK) ? "ok" : "unknown";
    this.show();
    void this.begin();
  }

  disconnectedCallback(): void {
    document.removeEventListener("click", this.pressed, { capture: true });
    document.removeEventListener("keydown", this.keyed, { capture: true });
    window.removeEventListener("beforeunload", this.unloading);
    window.removeEventListener("pagehide", this.leaving);
    navigator.mediaDevices?.removeEventListener("devicechange", this.devices);
    this.observer.disconnect();
    window.clearInterval(this.tick);
    this.line?.stop();
    this.guard?.leave();
  }

  // ---- the line

  private async begin(steal = false): Promise<void> {
    this.guard ??= new Guard(this.getAttribute("user") ?? "", () => this.stepAside());
    if (!this.guard.holds && !(await this.guard.take(steal))) return this.setLine("elsewhere", "");
    try {
      this.config = await this.post<Config>("here", { page: PAGE });
    } catch {
      this.setLine(this.lineState === "starting" ? "starting" : this.lineState, "");
      window.setTimeout(() => void this.begin(), 2000); // the web server is away: ask again
      return;
    }
    if (!this.guard.holds) return; // taken away meanwhile: `stepAside` has told
    if (this.config.mode !== "sip") return this.setLine(this.config.mode, this.config.why);
    this.setLine("connecting", "");
    const { connect } = (await import(this.getAttribute("sip") ?? "")) as { connect: Connect };
    if (!this.guard.holds) return;
    this.line?.stop();
    this.line = connect(this.config, {
      line: (state, why) => this.setLine(state, why),
      ringing: (auto) => this.ringing(auto),
      talking: () => this.setTalk("talking"),
      ended: () => this.ended(),
      trouble: (why) => {
        this.trouble = why;
        this.show();
      },
    });
    this.line.start();
  }

  /** Another window or computer is the telephone now. A call that is up here stays up until it ends. */
  private stepAside(): void {
    if (this.line?.calling) return;
    this.line?.stop();
    this.line = undefined;
    this.guard?.leave();
    this.setLine("elsewhere", "");
  }

  private ringing(auto: boolean): void {
    this.setTalk("ringing");
    if (auto) void this.answer();
  }

  private ended(): void {
    silence(this.stream);
    this.stream = null;
    this.trouble = "";
    this.setTalk("idle");
    const call = document.getElementById("phone");
    if (call) refresh(call);
    if (this.dataset["aside"] !== undefined) this.stepAside();
  }

  private async answer(): Promise<void> {
    if (this.talk !== "ringing" || this.stream) return;
    try {
      this.stream = await voice();
      this.stream.getAudioTracks()[0]?.addEventListener("ended", () => {
        this.trouble = "麦克风断了，对方听不到您：插好耳麦后挂断重拨，或转给别的座席";
        this.show();
      });
      this.line?.answer(this.stream);
    } catch (error) {
      this.micLost(refusal(error));
      this.panel.showPopover();
    }
  }

  // ---- what the agent presses

  private pressed = (event: Event): void => {
    const key = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-phone]") : null;
    if (!key) return;
    const stop = (): void => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    switch (key.dataset["phone"]) {
      case "ready":
        if (this.config?.mode !== "sip" || this.mic === "ok") return;
        stop();
        this.afterCheck = () => key.isConnected && key.click();
        this.panel.showPopover();
        return;
      case "answer":
        if (this.config?.mode !== "sip") return; // the server answers
        stop();
        void this.answer();
        return;
      case "hangup":
        window.setTimeout(() => this.line?.hangUp(), HANG_UP_PATIENCE); // a call that the server ended is long gone by then
        return;
      case "mute":
        this.line?.mute(key.getAttribute("aria-pressed") !== "true");
        return;
    }
  };

  private keyed = (event: KeyboardEvent): void => {
    if (event.key !== "F8" || event.repeat || this.talk !== "ringing") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void this.answer();
  };

  private unloading = (event: BeforeUnloadEvent): void => {
    if (this.busy) event.preventDefault();
  };

  /** The page goes while somebody talks: the server gives the caller to the next seat at once. */
  private leaving = (): void => {
    if (!this.busy) return;
    const form = new FormData();
    form.set("csrfmiddlewaretoken", document.body.dataset["csrf"] ?? "");
    form.set("page", PAGE);
    navigator.sendBeacon(this.address("gone"), form);
  };

  private get busy(): boolean {
    return this.talk !== "idle" || (this.config?.mode === "simulated" && this.server("talk") === "talking");
  }

  // ---- what the server says

  private serverSaid(): void {
    const page = this.server("page");
    if (page === PAGE) this.seenMine = true; // what the page was drawn with may be older than what we asked for
    else if (page && this.seenMine && this.lineState !== "elsewhere") {
      this.seenMine = false;
      if (this.line?.calling) this.dataset["aside"] = "";
      else this.stepAside();
    }
    const muted = this.server("muted");
    if (this.talk === "talking" && muted) this.line?.mute(muted === "yes");
    this.ring();
  }

  private server(name: string): string {
    return document.getElementById("phone")?.dataset[name] ?? "";
  }

  /** Every second: the mark for other pages, and a call that lives here but no longer in the centre. */
  private lookAfter(): void {
    if (this.guard?.holds) Guard.talks(this.busy);
    const stray = this.talk === "talking" && this.server("talk") === "" && document.documentElement.dataset["line"] === "live";
    if (!stray) this.strayAt = 0;
    else if (!this.strayAt) this.strayAt = performance.now();
    else if (performance.now() - this.strayAt > LEFT_OVER) this.line?.hangUp();
    if (this.lineState === "elsewhere") this.show();
  }

  // ---- the microphone

  private devices = (): void => {
    if (this.mic !== "ok" || this.config?.mode !== "sip") return;
    void navigator.mediaDevices.enumerateDevices().then((all) => {
      if (!all.some((one) => one.kind === "audioinput")) this.micLost("missing");
    });
  };

  private micLost(state: MicState): void {
    this.mic = state;
    sessionStorage.removeItem(MIC_OK);
    void this.post("mic", { ok: "", device: "" }).catch(() => undefined);
    this.show();
  }

  private async micPassed(device: string): Promise<void> {
    this.mic = "ok";
    sessionStorage.setItem(MIC_OK, "1");
    this.panel.hidePopover();
    await this.post("mic", { ok: "1", device }).catch(() => undefined);
    this.show();
    this.afterCheck?.();
    this.afterCheck = undefined;
  }

  private toggled(open: boolean): void {
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) {
      this.check?.stop();
      return;
    }
    const [icon, word] = LINE_WORDS[this.lineState];
    this.panel.innerHTML = `<h3><svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg>${word}</h3><p></p>`;
    const help = this.panel.querySelector("p") as HTMLElement;
    help.textContent = this.why && this.lineState === "none" ? this.why : LINE_HELP[this.lineState];
    if (this.lineState === "elsewhere") this.offerMove();
    if (this.config?.mode !== "sip" || this.lineState === "elsewhere") return;
    this.check ??= new MicCheck((device) => void this.micPassed(device), () => undefined);
    this.panel.append(this.check.box);
    if (this.talk === "idle") void this.check.start();
  }

  private offerMove(): void {
    const move = document.createElement("button");
    move.type = "button";
    move.className = "btn";
    move.dataset["size"] = "s";
    move.textContent = Guard.otherTalks ? "那边正在通话，挂断后才能移过来" : "把话机移到这里";
    move.disabled = Guard.otherTalks;
    move.addEventListener("click", () => {
      this.panel.hidePopover();
      void this.begin(true);
    });
    this.panel.append(move);
  }

  // ---- telling

  private setLine(state: LineState, why: string): void {
    const came = state === "ready" && this.lineState !== "ready";
    this.lineState = state;
    this.why = why;
    this.show();
    if (came) void this.post("registered", { page: PAGE }).catch(() => undefined);
  }

  private setTalk(talk: Talk): void {
    this.talk = talk;
    this.show();
    this.ring();
  }

  /** The ringing sound is played by sound.ts, which watches this. */
  private ring(): void {
    const rings = this.talk === "ringing" || this.server("talk") === "ringing" ? this.server("urgent") || "call" : "";
    if ((this.dataset["rings"] ?? "") !== rings) this.dataset["rings"] = rings;
  }

  private show(): void {
    const troubled = this.trouble || (this.mic === "refused" ? "麦克风被拒" : this.mic === "missing" ? "没有麦克风" : "");
    const unheard = this.lineState === "ready" && this.mic !== "ok";
    const [icon, word] = troubled ? ["mic-off", troubled] : unheard ? ["mic", "麦克风未查"] : LINE_WORDS[this.lineState];
    const state = troubled ? "trouble" : unheard ? "unheard" : this.lineState;
    if (this.dataset["talk"] !== this.talk) this.dataset["talk"] = this.talk;
    if (this.dataset["line"] !== this.lineState) this.dataset["line"] = this.lineState;
    if (this.dataset["state"] === state && this.button.textContent === word) return;
    this.dataset["state"] = state;
    this.button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg><span>${word}</span>`;
    this.button.title = `${word}。点开看说明和麦克风检查`;
  }

  private get button(): HTMLButtonElement {
    return this.querySelector("button") as HTMLButtonElement;
  }

  private get panel(): HTMLElement {
    return this.querySelector(".phone__panel") as HTMLElement;
  }

  private address(verb: string): string {
    return `/desk/phone/${verb}`;
  }

  private async post<T>(verb: string, words: Record<string, string>): Promise<T> {
    const answer = await fetch(this.address(verb), {
      method: "POST",
      body: new URLSearchParams(words),
      headers: { "X-CSRFToken": document.body.dataset["csrf"] ?? "", "HX-Request": "true" },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()) as T;
  }
}
customElements.define("soft-phone", SoftPhone);
