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

// src/anju/design/islands/when.ts
var LIKE = { date: "2026-11-20", datetime: "2026-11-20 14:30", time: "14:30" };
var EMPTY = { date: "年-月-日", datetime: "年-月-日 时:分", time: "时:分" };
var WEEK = "日一二三四五六";
var two2 = (n) => String(n).padStart(2, "0");
function clockOf(parts, text) {
  const [hour = "", minute = "0"] = parts;
  const later = /下午|晚|pm/i.test(text) && Number(hour) < 12 ? 12 : 0;
  return `${two2(Number(hour) + later)}:${two2(minute)}`;
}
function tidy(kind, text) {
  const parts = text.match(/\d+/g) ?? [];
  const first = parts[0] ?? "";
  if (kind === "time") {
    if (parts.length === 1 && /^\d{3,4}$/.test(first)) return clockOf([first.slice(0, -2), first.slice(-2)], text);
    return parts.length ? clockOf(parts, text) : "";
  }
  if (/^\d{8}$/.test(first)) parts.splice(0, 1, first.slice(0, 4), first.slice(4, 6), first.slice(6));
  const [year, month, day2, ...rest] = parts;
  if (!year || !month || !day2) return "";
  const date = `${year}-${two2(month)}-${two2(day2)}`;
  return kind === "date" ? date : rest.length ? `${date} ${clockOf(rest, text)}` : date;
}
var WhenField = class extends HTMLElement {
  text = null;
  picker = null;
  connectedCallback() {
    const kind = this.getAttribute("kind") ?? "date";
    const picker = this.querySelector("input:not(.when__pick, [type=text])");
    if (!picker) return;
    const text = picker.cloneNode();
    const focused = document.activeElement === picker;
    text.type = "text";
    text.inputMode = "numeric";
    text.autocomplete = "off";
    text.maxLength = 24;
    text.size = LIKE[kind].length;
    text.placeholder = EMPTY[kind];
    for (const name of ["min", "max"]) text.removeAttribute(name);
    for (const name of ["name", "id", "required", "autofocus", "aria-label", "aria-describedby", "title"]) picker.removeAttribute(name);
    picker.className = "when__pick";
    picker.tabIndex = -1;
    picker.setAttribute("aria-hidden", "true");
    text.value = picker.value.replace("T", " ").slice(0, 16);
    const weekday = document.createElement("span");
    weekday.className = "when__day";
    picker.before(text);
    this.append(weekday, picker);
    if (focused) text.focus();
    [this.text, this.picker] = [text, picker];
    picker.addEventListener("input", (event) => event.stopPropagation());
    picker.addEventListener("change", (event) => {
      event.stopPropagation();
      text.value = picker.value.replace("T", " ").slice(0, 16);
      this.check(kind);
      for (const name of ["input", "change"]) text.dispatchEvent(new Event(name, { bubbles: true }));
    });
    text.addEventListener("change", () => {
      text.value = tidy(kind, text.value) || text.value;
      this.check(kind);
    });
    text.addEventListener("input", () => this.check(kind));
    text.addEventListener("keydown", (event) => {
      if (event.key !== "F4" && !(event.altKey && event.key === "ArrowDown")) return;
      event.preventDefault();
      picker.showPicker?.();
    });
    this.check(kind);
  }
  check(kind) {
    const { text, picker } = this;
    if (!text || !picker) return;
    const said = tidy(kind, text.value);
    picker.value = said.replace(" ", "T");
    const { min, max } = picker;
    let fault2 = "";
    if (text.value && !picker.value) fault2 = `写成 ${LIKE[kind]} 这样`;
    else if (text.value && min && picker.value < min) fault2 = `不能早于 ${min.replace("T", " ")}`;
    else if (text.value && max && picker.value > max) fault2 = `不能晚于 ${max.replace("T", " ")}`;
    text.setCustomValidity(fault2);
    const weekday = this.querySelector(".when__day");
    const day2 = kind !== "time" && picker.value ? (/* @__PURE__ */ new Date(`${picker.value.slice(0, 10)}T12:00:00Z`)).getUTCDay() : -1;
    if (weekday) weekday.textContent = day2 < 0 ? "" : `周${WEEK[day2] ?? ""}`;
  }
};
customElements.define("when-field", WhenField);
var isField = (target) => target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
function fault(field) {
  const is = field.validity;
  if (is.valueMissing) {
    if (field instanceof HTMLSelectElement) return "请从列表里选一项";
    return field.type === "file" ? "请选一个文件" : field.type === "checkbox" ? "要继续，请先勾选" : "请填这一项";
  }
  if (is.tooLong || is.tooShort) return "长短不对，请核对";
  if (is.rangeUnderflow || is.rangeOverflow) {
    const { min = "", max = "" } = field;
    return min && max ? `请填 ${min} 到 ${max} 之间的数` : min ? `不能小于 ${min}` : `不能大于 ${max}`;
  }
  if (is.badInput || is.stepMismatch) return "请填数字";
  return field.title || "写法不对，请核对";
}
document.addEventListener(
  "invalid",
  (event) => {
    const field = event.target;
    if (!isField(field) || field.validity.customError) return;
    field.dataset["said"] = "1";
    field.setCustomValidity(fault(field));
  },
  true
);
for (const name of ["input", "change"]) {
  document.addEventListener(
    name,
    (event) => {
      const field = event.target;
      if (!isField(field) || !field.dataset["said"]) return;
      delete field.dataset["said"];
      field.setCustomValidity("");
    },
    true
  );
}

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
