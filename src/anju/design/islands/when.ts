// <when-field kind="date|datetime|time"><input type="date|…"></when-field>: a day or a time, always 2026-11-20 14:30 (design/when.py).
// A text takes the place of the browser's own field; that one lies unseen over the icon, over the whole text where a finger
// points, opens the browser's picker and writes into the text.

type Kind = "date" | "datetime" | "time";
const LIKE: Record<Kind, string> = { date: "2026-11-20", datetime: "2026-11-20 14:30", time: "14:30" };
const EMPTY: Record<Kind, string> = { date: "年-月-日", datetime: "年-月-日 时:分", time: "时:分" };
const WEEK = "日一二三四五六";

const two = (n: string | number): string => String(n).padStart(2, "0");

function clockOf(parts: string[], text: string): string {
  const [hour = "", minute = "0"] = parts;
  const later = /下午|晚|pm/i.test(text) && Number(hour) < 12 ? 12 : 0;
  return `${two(Number(hour) + later)}:${two(minute)}`;
}

/** What somebody typed, as it is kept: 20261120, 2026/11/20, 2026年11月20日, 1430, 下午2:30. Empty when it is none of these. */
export function tidy(kind: Kind, text: string): string {
  const parts = text.match(/\d+/g) ?? [];
  const first = parts[0] ?? "";
  if (kind === "time") {
    if (parts.length === 1 && /^\d{3,4}$/.test(first)) return clockOf([first.slice(0, -2), first.slice(-2)], text);
    return parts.length ? clockOf(parts, text) : "";
  }
  if (/^\d{8}$/.test(first)) parts.splice(0, 1, first.slice(0, 4), first.slice(4, 6), first.slice(6));
  const [year, month, day, ...rest] = parts;
  if (!year || !month || !day) return "";
  const date = `${year}-${two(month)}-${two(day)}`;
  return kind === "date" ? date : rest.length ? `${date} ${clockOf(rest, text)}` : date;
}

class WhenField extends HTMLElement {
  private text: HTMLInputElement | null = null;
  private picker: HTMLInputElement | null = null;

  connectedCallback(): void {
    const kind = (this.getAttribute("kind") ?? "date") as Kind;
    const picker = this.querySelector<HTMLInputElement>("input:not(.when__pick, [type=text])");
    if (!picker) return;
    const text = picker.cloneNode() as HTMLInputElement;
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

  private check(kind: Kind): void {
    const { text, picker } = this;
    if (!text || !picker) return;
    const said = tidy(kind, text.value);
    picker.value = said.replace(" ", "T");
    const { min, max } = picker;
    let fault = "";
    if (text.value && !picker.value) fault = `写成 ${LIKE[kind]} 这样`;
    else if (text.value && min && picker.value < min) fault = `不能早于 ${min.replace("T", " ")}`;
    else if (text.value && max && picker.value > max) fault = `不能晚于 ${max.replace("T", " ")}`;
    text.setCustomValidity(fault);
    const weekday = this.querySelector(".when__day");
    const day = kind !== "time" && picker.value ? new Date(`${picker.value.slice(0, 10)}T12:00:00Z`).getUTCDay() : -1;
    if (weekday) weekday.textContent = day < 0 ? "" : `周${WEEK[day] ?? ""}`;
  }
}
customElements.define("when-field", WhenField);

// What a browser says about a field that is empty or wrong, it says in its own language: here it is Chinese.

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
const isField = (target: EventTarget | null): target is Field =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;

function fault(field: Field): string {
  const is = field.validity;
  if (is.valueMissing) {
    if (field instanceof HTMLSelectElement) return "请从列表里选一项";
    return field.type === "file" ? "请选一个文件" : field.type === "checkbox" ? "要继续，请先勾选" : "请填这一项";
  }
  if (is.tooLong || is.tooShort) return "长短不对，请核对";
  if (is.rangeUnderflow || is.rangeOverflow) {
    const { min = "", max = "" } = field as HTMLInputElement;
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
  true,
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
    true,
  );
}
