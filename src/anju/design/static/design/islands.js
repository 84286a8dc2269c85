// src/anju/design/islands/cards.ts
function label(table) {
  const heads = [...table.querySelectorAll("thead th")];
  for (const row of table.tBodies[0]?.rows ?? []) {
    let column = 0;
    for (const cell of row.cells) {
      const head = heads[column];
      column += cell.colSpan;
      if (head && ("num" in head.dataset || "say" in head.dataset)) cell.dataset["label"] = head.textContent.trim();
    }
  }
}
document.querySelectorAll("table[data-cards]").forEach(label);

// src/anju/design/islands/drawer.ts
var SideDrawer = class extends HTMLElement {
  get dialog() {
    return this.querySelector("dialog");
  }
  connectedCallback() {
    this.addEventListener("htmx:afterSwap", () => {
      if (!this.dialog?.open) this.dialog?.showModal();
      this.querySelector("[aria-invalid=true], .notice, input:not([type=hidden]), select, textarea")?.focus();
    });
    this.addEventListener("click", (event) => {
      const target = event.target;
      if (target !== this.dialog && !target.closest("[data-close]")) return;
      event.preventDefault();
      this.dialog?.close();
    });
    this.dialog?.addEventListener("close", () => this.querySelector(".drawer__body-of")?.replaceChildren());
  }
};
customElements.define("side-drawer", SideDrawer);

// src/anju/design/islands/time.ts
var offset = null;
var beats = [];
function steady() {
  return performance.timeOrigin + performance.now();
}
function hearServerTime(serverMs) {
  beats.push(serverMs - steady());
  if (beats.length > 12) beats.shift();
  offset = Math.max(...beats);
}
function now() {
  return steady() + (offset ?? 0);
}
function firstStamp() {
  const stamp = document.querySelector('meta[name="server-now"]')?.content;
  if (stamp) hearServerTime(Number(stamp));
}
firstStamp();
var two = (n) => String(n).padStart(2, "0");
function rough(seconds) {
  if (seconds < 600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}分`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)}时` : `${Math.floor(seconds / 86400)}天`;
}
var day = (ms) => Math.floor((ms + 8 * 36e5) / 864e5);
function timeLeft(due, at) {
  const seconds = Math.trunc((due - at) / 1e3);
  if (due < at && seconds <= 0) return "超" + rough(-seconds);
  if (seconds < 3600) return rough(seconds);
  const days = day(due) - day(at);
  return days === 0 ? "今日" : days === 1 ? "明日" : `${days}天`;
}
function gone(since, at) {
  const all = Math.max(0, Math.trunc((at - since) / 1e3));
  const hours = Math.floor(all / 3600);
  const clock = `${two(Math.floor(all % 3600 / 60))}:${two(all % 60)}`;
  if (!hours) return clock;
  return hours < 24 ? `${hours}:${clock}` : `${Math.floor(hours / 24)} 天 ${hours % 24} 时`;
}
var ticking = /* @__PURE__ */ new Set();
var timer;
var Ticking = class extends HTMLElement {
  connectedCallback() {
    ticking.add(this);
    this.tick(now());
    timer ??= window.setInterval(() => ticking.forEach((one) => one.tick(now())), 250);
  }
  disconnectedCallback() {
    ticking.delete(this);
    if (ticking.size) return;
    window.clearInterval(timer);
    timer = void 0;
  }
  attributeChangedCallback() {
    if (this.isConnected) this.tick(now());
  }
  say(text, where = this) {
    if (where && where.textContent !== text) where.textContent = text;
  }
};
var CountDown = class extends Ticking {
  static observedAttributes = ["due", "total"];
  tick(at) {
    const due = Number(this.getAttribute("due"));
    const total = Number(this.getAttribute("total")) * 1e3;
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
    if (kind !== wanted) this.dataset["kind"] = wanted;
  }
};
var TimeSince = class extends Ticking {
  static observedAttributes = ["since"];
  tick(at) {
    this.say(gone(Number(this.getAttribute("since")), at));
  }
};
var ClockNow = class extends Ticking {
  tick(at) {
    this.say(new Date(at + 8 * 36e5).toISOString().slice(11, 19));
  }
};
customElements.define("count-down", CountDown);
customElements.define("time-since", TimeSince);
customElements.define("clock-now", ClockNow);

// src/anju/design/islands/islands.ts
var ThemeSwitch = class extends HTMLElement {
  connectedCallback() {
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
  mark() {
    const dark = document.documentElement.dataset["theme"] === "dark";
    this.querySelector("button")?.setAttribute("aria-pressed", String(dark));
  }
};
customElements.define("theme-switch", ThemeSwitch);
var typing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((m) => m.open = false);
  if (typing(event.target)) return;
  const goal = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!goal) return;
  event.preventDefault();
  if (typing(goal)) goal.focus();
  else goal.click();
});
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
