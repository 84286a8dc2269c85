// Live within a second: listens to /events and fetches again the regions that say they show what changed.
//
// A region: <section data-live="queue incident:37" hx-get="…" hx-trigger="refresh" hx-swap="morph:outerHTML">.
// "topic" alone means any change of that topic, "topic:id" one subject. The stream never carries content.
import { hearServerTime } from "../../../design/islands/time";
import { htmx } from "./htmx";

interface Change {
  t: string;
  i: string | number;
  p: string;
}
interface Beat {
  epoch: string;
  n: number;
  now: number;
}

type State = "starting" | "live" | "late" | "out";
const WORDS: Record<State, [icon: string, word: string]> = {
  starting: ["refresh", "正在接通"],
  live: ["signal", "实时"],
  late: ["alert", "实时中断，正在重连"],
  out: ["lock", "登录已失效，请重新登录"],
};
const SILENCE = 12_000; // two beats and a bit: the line is dead
const PAUSES = [300, 700, 1500, 3000, 5000];

export function refresh(region: Element): void {
  htmx.trigger(region, "refresh");
}

export function refreshAll(): void {
  document.querySelectorAll("[data-live]").forEach(refresh);
}

function shows(region: HTMLElement, change: Change): boolean {
  const wanted = (region.dataset["live"] ?? "").split(" ");
  return wanted.includes(change.t) || wanted.includes(`${change.t}:${change.i}`);
}

/** A case that the queue does not show yet, or a step of the case that is open: what the agent waits for. */
function isNews(region: HTMLElement, change: Change): boolean {
  if (region.id === "queue") return change.t === "queue" && !region.querySelector(`[data-incident="${change.i}"]`);
  return region.dataset["incident"] === String(change.i);
}

const AT_ONCE = 20; // ms
const SOON = 600;
const LATER = 3000;

/** How soon a region is fetched: news at once, the rest soon; what an idle agent reads (data-calm) takes no time from it. */
function haste(region: HTMLElement, change: Change): number {
  if (isNews(region, change)) return AT_ONCE;
  return region.dataset["calm"] === undefined ? SOON : LATER;
}

/** `<live-line src="/events">`: the stream and its state, told by colour, icon and word. */
class LiveLine extends HTMLElement {
  private source: EventSource | undefined;
  private epoch = "";
  private counted = 0;
  private heardAt = 0;
  private failures = 0;
  private asked = 0; // which question to the server is the newest: an older one's answer counts no more
  private waiting = new Map<number, Set<HTMLElement>>();
  private watch: number | undefined;
  private retry: number | undefined;

  connectedCallback(): void {
    this.show("starting");
    this.connect();
    this.addEventListener("bye", () => this.bye());
    this.watch = window.setInterval(() => this.listenForSilence(), 1000);
    window.addEventListener("online", this.again);
    document.addEventListener("visibilitychange", this.again);
  }

  disconnectedCallback(): void {
    window.clearInterval(this.watch);
    window.clearTimeout(this.retry);
    window.removeEventListener("online", this.again);
    document.removeEventListener("visibilitychange", this.again);
    this.source?.close();
  }

  private again = (): void => {
    if (this.dataset["state"] === "late" && this.source?.readyState !== EventSource.OPEN) this.connect();
  };

  private connect(): void {
    window.clearTimeout(this.retry);
    this.source?.close();
    this.heardAt = performance.now();
    const source = new EventSource(this.getAttribute("src") ?? "/events");
    this.source = source;
    source.addEventListener("hello", (event) => this.hello(JSON.parse(event.data) as Beat));
    source.addEventListener("changed", (event) => this.changed(JSON.parse(event.data) as Change));
    source.addEventListener("beat", (event) => this.beat(JSON.parse(event.data) as Beat));
    source.addEventListener("resync", () => this.resync());
    source.addEventListener("deaf", () => this.deaf());
    source.addEventListener("bye", () => this.bye());
    source.onerror = () => this.lost();
  }

  private hello(beat: Beat): void {
    this.failures = 0;
    this.epoch = beat.epoch;
    this.counted = beat.n;
    this.alive(beat.now);
    refreshAll(); // what changed while nobody listened
  }

  private changed(change: Change): void {
    this.counted += 1;
    this.heardAt = performance.now();
    document.querySelectorAll<HTMLElement>("[data-live]").forEach((region) => {
      if (shows(region, change)) this.soon(region, haste(region, change));
    });
    this.dispatchEvent(new CustomEvent("anju:changed", { detail: change, bubbles: true }));
  }

  /** Many changes of one transaction are one fetch, and many small steps of other cases never hold up a new one. */
  private soon(region: HTMLElement, wait: number): void {
    const sooner = [...this.waiting].some(([other, regions]) => other <= wait && regions.has(region));
    if (sooner) return;
    const due = this.waiting.get(wait);
    if (due) due.add(region);
    else {
      this.waiting.set(wait, new Set([region]));
      window.setTimeout(() => this.flush(wait), wait);
    }
  }

  private flush(wait: number): void {
    const regions = this.waiting.get(wait) ?? [];
    this.waiting.delete(wait);
    for (const region of regions) {
      this.waiting.forEach((later) => later.delete(region));
      // a region that was replaced meanwhile: its successor has the same id
      const still = region.isConnected ? region : document.getElementById(region.id);
      if (still) refresh(still);
    }
  }

  private beat(beat: Beat): void {
    this.alive(beat.now);
    if (beat.epoch === this.epoch && beat.n === this.counted) return;
    this.epoch = beat.epoch;
    this.counted = beat.n;
    this.dataset["gaps"] = String(Number(this.dataset["gaps"] ?? 0) + 1);
    refreshAll();
  }

  private resync(): void {
    this.heardAt = performance.now();
    this.dataset["gaps"] = String(Number(this.dataset["gaps"] ?? 0) + 1);
    refreshAll();
  }

  /** The server itself hears nothing at the moment: a line that stands is no proof. The next heartbeat ends it. */
  private deaf(): void {
    this.heardAt = performance.now();
    this.show("late");
  }

  private bye(): void {
    this.source?.close();
    window.clearTimeout(this.retry);
    this.show("out");
  }

  private alive(serverNow: number): void {
    hearServerTime(serverNow);
    this.heardAt = performance.now();
    this.show("live");
  }

  private listenForSilence(): void {
    if (this.dataset["state"] !== "out" && performance.now() - this.heardAt > SILENCE) this.lost();
  }

  private lost(): void {
    this.source?.close();
    if (this.dataset["state"] === "out") return;
    this.heardAt = performance.now();
    this.show("late");
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)] ?? 5000;
    this.failures += 1;
    this.asked += 1;
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => void this.reconnect(), pause);
  }

  /** EventSource hides the status, so ask first whether the log-in still stands. */
  private async reconnect(): Promise<void> {
    const asked = this.asked;
    try {
      const answer = await fetch("/desk/alive", { redirect: "manual", cache: "no-store" });
      if (asked !== this.asked) return;
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return this.bye();
      if (answer.ok) return this.connect();
    } catch {
      // no network: try again below
    }
    if (asked === this.asked) this.lost();
  }

  private show(state: State): void {
    if (this.dataset["state"] === state) return;
    this.dataset["state"] = state;
    const [icon, word] = WORDS[state];
    this.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg><span>${word}</span>`;
    if (state === "out") this.insertAdjacentHTML("beforeend", ` <a href="/login/?next=/desk/">去登录</a>`);
    document.documentElement.dataset["line"] = state;
  }
}
customElements.define("live-line", LiveLine);

/** A part was refused because the log-in ended: say so and stay; what was typed is still there. */
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if ((event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr.status !== 401) return;
  event.preventDefault();
  document.querySelector("live-line")?.dispatchEvent(new Event("bye"));
});
