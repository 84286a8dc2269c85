// Sounds by priority. A browser is silent until somebody touches the page, so the state is always told in words;
// muting never hides a priority-9 case: then the page shows a warning strip instead, and the title of the tab counts.

type Level = "off" | "low" | "high";
const VOLUME: Record<Level, number> = { off: 0, low: 0.25, high: 0.8 };
const NEXT: Record<Level, Level> = { high: "low", low: "off", off: "high" };

interface Tune {
  /** Hz and seconds of each tone */
  tones: [hz: number, seconds: number][];
  /** seconds from the start of one round to the next; 0 = once */
  every: number;
}

/** Read from the top: the first that fits the priority. */
const TUNES: [least: number, tune: Tune][] = [
  [9, { tones: [[880, 0.22], [660, 0.22], [880, 0.22], [660, 0.22]], every: 1.4 }],
  [7, { tones: [[740, 0.18], [740, 0.18], [740, 0.18]], every: 3 }],
  [5, { tones: [[590, 0.2], [590, 0.2]], every: 5 }],
  [0, { tones: [[520, 0.25]], every: 0 }],
];

/** A telephone that rings here is heard before anything else: a warbling bell, faster when somebody calls for help. */
const BELLS: Record<string, Tune> = {
  emergency: { tones: [[1000, 0.1], [800, 0.1], [1000, 0.1], [800, 0.1], [1000, 0.1], [800, 0.1]], every: 1.2 },
  call: { tones: [[480, 0.12], [440, 0.12], [480, 0.12], [440, 0.12]], every: 2.4 },
};

/** `<desk-sound>` holds the button; it reads `data-ringing="9"` (highest waiting priority, -1 = none) of the queue. */
class DeskSound extends HTMLElement {
  private audio: AudioContext | undefined;
  private level: Level = "high";
  private ringing = -1;
  private bell = "";
  private round: number | undefined;
  private observer = new MutationObserver(() => this.look());
  private tabTitle = document.title;

  connectedCallback(): void {
    const saved = localStorage.getItem("anju_sound");
    if (saved === "off" || saved === "low" || saved === "high") this.level = saved;
    this.addEventListener("click", () => void this.press());
    document.addEventListener("pointerdown", this.wake, { capture: true });
    document.addEventListener("keydown", this.wake, { capture: true });
    this.observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ringing", "data-rings"] });
    this.look();
    this.show();
  }

  disconnectedCallback(): void {
    this.observer.disconnect();
    window.clearInterval(this.round);
    document.removeEventListener("pointerdown", this.wake, { capture: true });
    document.removeEventListener("keydown", this.wake, { capture: true });
  }

  /** Any touch of the page lets the browser play. */
  private wake = (): void => {
    if (this.audio?.state === "running") return;
    this.audio ??= new AudioContext();
    void this.audio.resume().then(() => {
      this.show();
      this.play();
    });
  };

  private async press(): Promise<void> {
    if (this.audio?.state !== "running") {
      this.wake();
      return;
    }
    this.level = NEXT[this.level];
    localStorage.setItem("anju_sound", this.level);
    this.show();
    this.sound({ tones: [[660, 0.12]], every: 0 });
  }

  private look(): void {
    const queue = document.querySelector<HTMLElement>("[data-ringing]");
    const ringing = Number(queue?.dataset["ringing"] ?? -1);
    const bell = document.querySelector<HTMLElement>("soft-phone")?.dataset["rings"] ?? "";
    if (ringing === this.ringing && bell === this.bell) return;
    this.ringing = ringing;
    this.bell = bell;
    this.play();
    this.show();
  }

  private play(): void {
    window.clearInterval(this.round);
    this.round = undefined;
    const tune = BELLS[this.bell] ?? TUNES.find(([least]) => this.ringing >= least)?.[1];
    if (!tune) return;
    this.sound(tune);
    if (tune.every) this.round = window.setInterval(() => this.sound(tune), tune.every * 1000);
  }

  private sound(tune: Tune): void {
    const audio = this.audio;
    const volume = VOLUME[this.level];
    if (!audio || audio.state !== "running" || !volume) return;
    this.dataset["rounds"] = String(Number(this.dataset["rounds"] ?? 0) + 1);
    let at = audio.currentTime + 0.02;
    for (const [hz, seconds] of tune.tones) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = hz;
      tone.type = "triangle";
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(volume, at + 0.015);
      gain.gain.setValueAtTime(volume, at + seconds - 0.04);
      gain.gain.linearRampToValueAtTime(0, at + seconds - 0.01);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + seconds);
      at += seconds;
    }
  }

  private show(): void {
    const awake = this.audio?.state === "running";
    const state = !awake ? "locked" : this.level === "off" ? "muted" : "on";
    const word = { locked: "开启提示音", muted: "已静音", on: this.level === "low" ? "声音小" : "声音大" }[state];
    const icon = state === "on" ? "volume" : "mute";
    this.dataset["state"] = state;
    const button = this.querySelector("button");
    if (button) {
      button.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg>${word}`;
      button.setAttribute("aria-pressed", String(state === "on"));
    }
    const silent = state !== "on" && (this.ringing >= 9 || this.bell !== "");
    const warning = document.getElementById("silent-warning");
    if (warning) {
      warning.hidden = !silent;
      const what = this.bell ? "电话在响" : "有紧急求助在等";
      const text = state === "locked" ? `没有提示音，${what}。点这里开启` : `已静音，${what}。点这里恢复`;
      const span = warning.querySelector("span");
      if (span && span.textContent !== text) span.textContent = text;
      warning.onclick = () => {
        if (this.level === "off") this.level = "high";
        this.wake();
        this.show();
        this.play();
      };
    }
    document.title = this.bell ? `☎ 来电 · ${this.tabTitle}` : this.ringing >= 0 ? `● 待接警 · ${this.tabTitle}` : this.tabTitle;
  }
}
customElements.define("desk-sound", DeskSound);
