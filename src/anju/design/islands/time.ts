// One clock for a page: the server's. The browser's own clock may be wrong, so only its steady counter is used.

/** Milliseconds to add to the browser's steady counter to get the server's time. */
let offset: number | null = null;
const beats: number[] = [];

function steady(): number {
  return performance.timeOrigin + performance.now();
}

/** Take a time stamp of the server. The largest of the last samples had the shortest way, so it is nearest to the truth. */
export function hearServerTime(serverMs: number): void {
  beats.push(serverMs - steady());
  if (beats.length > 12) beats.shift();
  offset = Math.max(...beats);
}

export function now(): number {
  return steady() + (offset ?? 0);
}

function firstStamp(): void {
  const stamp = document.querySelector<HTMLMetaElement>('meta[name="server-now"]')?.content;
  if (stamp) hearServerTime(Number(stamp));
}
firstStamp();

const two = (n: number): string => String(n).padStart(2, "0");

/** 0:12 · 18分 · 2时 · 3天 (the same words as `time_left` in templatetags/kit.py) */
function rough(seconds: number): string {
  if (seconds < 600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}分`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)}时` : `${Math.floor(seconds / 86400)}天`;
}

/** Number of the day at the centre (Asia/Shanghai has no summer time). */
const day = (ms: number): number => Math.floor((ms + 8 * 3600_000) / 86400_000);

export function timeLeft(due: number, at: number): string {
  const seconds = Math.trunc((due - at) / 1000);
  if (due < at && seconds <= 0) return "超" + rough(-seconds);
  if (seconds < 3600) return rough(seconds);
  const days = day(due) - day(at);
  return days === 0 ? "今日" : days === 1 ? "明日" : `${days}天`;
}

export function gone(since: number, at: number): string {
  const all = Math.max(0, Math.trunc((at - since) / 1000));
  const hours = Math.floor(all / 3600);
  const clock = `${two(Math.floor((all % 3600) / 60))}:${two(all % 60)}`;
  if (!hours) return clock;
  return hours < 24 ? `${hours}:${clock}` : `${Math.floor(hours / 24)} 天 ${hours % 24} 时`;
}

const ticking = new Set<Ticking>();
let timer: number | undefined;

/** An element whose text follows the clock. One timer serves all of them. */
abstract class Ticking extends HTMLElement {
  abstract tick(at: number): void;

  connectedCallback(): void {
    ticking.add(this);
    this.tick(now());
    timer ??= window.setInterval(() => ticking.forEach((one) => one.tick(now())), 250);
  }

  disconnectedCallback(): void {
    ticking.delete(this);
    if (ticking.size) return;
    window.clearInterval(timer);
    timer = undefined;
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.tick(now());
  }

  protected say(text: string, where: Element | null = this): void {
    if (where && where.textContent !== text) where.textContent = text;
  }
}

/** `<count-down due="ms" total="seconds">` with an optional ring: time left, amber in the last third, told when past. */
class CountDown extends Ticking {
  static observedAttributes = ["due", "total"];

  override tick(at: number): void {
    const due = Number(this.getAttribute("due"));
    const total = Number(this.getAttribute("total")) * 1000;
    const over = due < at;
    const small = this.classList.contains("ring") && this.dataset["size"] !== "l";
    this.say(over && small ? "超时" : timeLeft(due, at), this.querySelector("b"));
    if (over !== this.hasAttribute("data-over")) this.toggleAttribute("data-over", over);
    if (!total || !this.classList.contains("ring")) return;
    const share = Math.min(1, Math.max(0, (due - at) / total));
    const percent = String(Math.round(share * 100));
    if (this.style.getPropertyValue("--p") !== percent) this.style.setProperty("--p", percent);
    const kind = this.dataset["kind"] ?? "";
    const wanted = kind === "emergency" ? kind : share <= 1 / 3 ? "warn" : "";
    if (kind !== wanted) this.dataset["kind"] = wanted; // what is the same is not written: dozens tick four times a second
  }
}

/** `<time-since since="ms">`: time gone by. */
class TimeSince extends Ticking {
  static observedAttributes = ["since"];

  override tick(at: number): void {
    this.say(gone(Number(this.getAttribute("since")), at));
  }
}

/** `<clock-now>`: the time of the centre, 09:46:38. */
class ClockNow extends Ticking {
  override tick(at: number): void {
    this.say(new Date(at + 8 * 3600_000).toISOString().slice(11, 19));
  }
}

customElements.define("count-down", CountDown);
customElements.define("time-since", TimeSince);
customElements.define("clock-now", ClockNow);
