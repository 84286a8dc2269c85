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
  const first2 = parts[0] ?? "";
  if (kind === "time") {
    if (parts.length === 1 && /^\d{3,4}$/.test(first2)) return clockOf([first2.slice(0, -2), first2.slice(-2)], text);
    return parts.length ? clockOf(parts, text) : "";
  }
  if (/^\d{8}$/.test(first2)) parts.splice(0, 1, first2.slice(0, 4), first2.slice(4, 6), first2.slice(6));
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

// node_modules/idiomorph/dist/idiomorph.esm.js
var Idiomorph = (function() {
  "use strict";
  const noOp = () => {
  };
  const defaults = {
    morphStyle: "outerHTML",
    callbacks: {
      beforeNodeAdded: noOp,
      afterNodeAdded: noOp,
      beforeNodeMorphed: noOp,
      afterNodeMorphed: noOp,
      beforeNodeRemoved: noOp,
      afterNodeRemoved: noOp,
      beforeAttributeUpdated: noOp
    },
    head: {
      style: "merge",
      shouldPreserve: (elt) => elt.getAttribute("im-preserve") === "true",
      shouldReAppend: (elt) => elt.getAttribute("im-re-append") === "true",
      shouldRemove: noOp,
      afterHeadMorphed: noOp
    },
    restoreFocus: true
  };
  function morph(oldNode, newContent, config = {}) {
    oldNode = normalizeElement(oldNode);
    const newNode = normalizeParent(newContent);
    const ctx = createMorphContext(oldNode, newNode, config);
    const morphedNodes = saveAndRestoreFocus(ctx, () => {
      return withHeadBlocking(
        ctx,
        oldNode,
        newNode,
        /** @param {MorphContext} ctx */
        (ctx2) => {
          if (ctx2.morphStyle === "innerHTML") {
            morphChildren(ctx2, oldNode, newNode);
            return Array.from(oldNode.childNodes);
          } else {
            return morphOuterHTML(ctx2, oldNode, newNode);
          }
        }
      );
    });
    ctx.pantry.remove();
    return morphedNodes;
  }
  function morphOuterHTML(ctx, oldNode, newNode) {
    const oldParent = normalizeParent(oldNode);
    morphChildren(
      ctx,
      oldParent,
      newNode,
      // these two optional params are the secret sauce
      oldNode,
      // start point for iteration
      oldNode.nextSibling
      // end point for iteration
    );
    return Array.from(oldParent.childNodes);
  }
  function saveAndRestoreFocus(ctx, fn) {
    if (!ctx.config.restoreFocus) return fn();
    let activeElement = (
      /** @type {HTMLInputElement|HTMLTextAreaElement|null} */
      document.activeElement
    );
    if (!(activeElement instanceof HTMLInputElement || activeElement instanceof HTMLTextAreaElement)) {
      return fn();
    }
    const { id: activeElementId, selectionStart, selectionEnd } = activeElement;
    const results = fn();
    if (activeElementId && activeElementId !== document.activeElement?.getAttribute("id")) {
      activeElement = ctx.target.querySelector(`[id="${activeElementId}"]`);
      activeElement?.focus();
    }
    if (activeElement && !activeElement.selectionEnd && selectionEnd) {
      activeElement.setSelectionRange(selectionStart, selectionEnd);
    }
    return results;
  }
  const morphChildren = /* @__PURE__ */ (function() {
    function morphChildren2(ctx, oldParent, newParent, insertionPoint = null, endPoint = null) {
      if (oldParent instanceof HTMLTemplateElement && newParent instanceof HTMLTemplateElement) {
        oldParent = oldParent.content;
        newParent = newParent.content;
      }
      insertionPoint ||= oldParent.firstChild;
      for (const newChild of newParent.childNodes) {
        if (insertionPoint && insertionPoint != endPoint) {
          const bestMatch = findBestMatch(
            ctx,
            newChild,
            insertionPoint,
            endPoint
          );
          if (bestMatch) {
            if (bestMatch !== insertionPoint) {
              removeNodesBetween(ctx, insertionPoint, bestMatch);
            }
            morphNode(bestMatch, newChild, ctx);
            insertionPoint = bestMatch.nextSibling;
            continue;
          }
        }
        if (newChild instanceof Element) {
          const newChildId = (
            /** @type {String} */
            newChild.getAttribute("id")
          );
          if (ctx.persistentIds.has(newChildId)) {
            const movedChild = moveBeforeById(
              oldParent,
              newChildId,
              insertionPoint,
              ctx
            );
            morphNode(movedChild, newChild, ctx);
            insertionPoint = movedChild.nextSibling;
            continue;
          }
        }
        const insertedNode = createNode(
          oldParent,
          newChild,
          insertionPoint,
          ctx
        );
        if (insertedNode) {
          insertionPoint = insertedNode.nextSibling;
        }
      }
      while (insertionPoint && insertionPoint != endPoint) {
        const tempNode = insertionPoint;
        insertionPoint = insertionPoint.nextSibling;
        removeNode(ctx, tempNode);
      }
    }
    function createNode(oldParent, newChild, insertionPoint, ctx) {
      if (ctx.callbacks.beforeNodeAdded(newChild) === false) return null;
      if (ctx.idMap.has(newChild)) {
        const newEmptyChild = document.createElement(
          /** @type {Element} */
          newChild.tagName
        );
        oldParent.insertBefore(newEmptyChild, insertionPoint);
        morphNode(newEmptyChild, newChild, ctx);
        ctx.callbacks.afterNodeAdded(newEmptyChild);
        return newEmptyChild;
      } else {
        const newClonedChild = document.importNode(newChild, true);
        oldParent.insertBefore(newClonedChild, insertionPoint);
        ctx.callbacks.afterNodeAdded(newClonedChild);
        return newClonedChild;
      }
    }
    const findBestMatch = /* @__PURE__ */ (function() {
      function findBestMatch2(ctx, node, startPoint, endPoint) {
        let softMatch = null;
        let nextSibling = node.nextSibling;
        let siblingSoftMatchCount = 0;
        let cursor = startPoint;
        while (cursor && cursor != endPoint) {
          if (isSoftMatch(cursor, node)) {
            if (isIdSetMatch(ctx, cursor, node)) {
              return cursor;
            }
            if (softMatch === null) {
              if (!ctx.idMap.has(cursor)) {
                softMatch = cursor;
              }
            }
          }
          if (softMatch === null && nextSibling && isSoftMatch(cursor, nextSibling)) {
            siblingSoftMatchCount++;
            nextSibling = nextSibling.nextSibling;
            if (siblingSoftMatchCount >= 2) {
              softMatch = void 0;
            }
          }
          if (ctx.activeElementAndParents.includes(cursor)) break;
          cursor = cursor.nextSibling;
        }
        return softMatch || null;
      }
      function isIdSetMatch(ctx, oldNode, newNode) {
        let oldSet = ctx.idMap.get(oldNode);
        let newSet = ctx.idMap.get(newNode);
        if (!newSet || !oldSet) return false;
        for (const id of oldSet) {
          if (newSet.has(id)) {
            return true;
          }
        }
        return false;
      }
      function isSoftMatch(oldNode, newNode) {
        const oldElt = (
          /** @type {Element} */
          oldNode
        );
        const newElt = (
          /** @type {Element} */
          newNode
        );
        return oldElt.nodeType === newElt.nodeType && oldElt.tagName === newElt.tagName && // If oldElt has an `id` with possible state and it doesn't match newElt.id then avoid morphing.
        // We'll still match an anonymous node with an IDed newElt, though, because if it got this far,
        // its not persistent, and new nodes can't have any hidden state.
        // We can't use .id because of form input shadowing, and we can't count on .getAttribute's presence because it could be a document-fragment
        (!oldElt.getAttribute?.("id") || oldElt.getAttribute?.("id") === newElt.getAttribute?.("id"));
      }
      return findBestMatch2;
    })();
    function removeNode(ctx, node) {
      if (ctx.idMap.has(node)) {
        moveBefore(ctx.pantry, node, null);
      } else {
        if (ctx.callbacks.beforeNodeRemoved(node) === false) return;
        node.parentNode?.removeChild(node);
        ctx.callbacks.afterNodeRemoved(node);
      }
    }
    function removeNodesBetween(ctx, startInclusive, endExclusive) {
      let cursor = startInclusive;
      while (cursor && cursor !== endExclusive) {
        let tempNode = (
          /** @type {Node} */
          cursor
        );
        cursor = cursor.nextSibling;
        removeNode(ctx, tempNode);
      }
      return cursor;
    }
    function moveBeforeById(parentNode, id, after, ctx) {
      const target = (
        /** @type {Element} - will always be found */
        // ctx.target.id unsafe because of form input shadowing
        // ctx.target could be a document fragment which doesn't have `getAttribute`
        ctx.target.getAttribute?.("id") === id && ctx.target || ctx.target.querySelector(`[id="${id}"]`) || ctx.pantry.querySelector(`[id="${id}"]`)
      );
      removeElementFromAncestorsIdMaps(target, ctx);
      moveBefore(parentNode, target, after);
      return target;
    }
    function removeElementFromAncestorsIdMaps(element, ctx) {
      const id = (
        /** @type {String} */
        element.getAttribute("id")
      );
      while (element = element.parentNode) {
        let idSet = ctx.idMap.get(element);
        if (idSet) {
          idSet.delete(id);
          if (!idSet.size) {
            ctx.idMap.delete(element);
          }
        }
      }
    }
    function moveBefore(parentNode, element, after) {
      if (parentNode.moveBefore) {
        try {
          parentNode.moveBefore(element, after);
        } catch (e) {
          parentNode.insertBefore(element, after);
        }
      } else {
        parentNode.insertBefore(element, after);
      }
    }
    return morphChildren2;
  })();
  const morphNode = /* @__PURE__ */ (function() {
    function morphNode2(oldNode, newContent, ctx) {
      if (ctx.ignoreActive && oldNode === document.activeElement) {
        return null;
      }
      if (ctx.callbacks.beforeNodeMorphed(oldNode, newContent) === false) {
        return oldNode;
      }
      if (oldNode instanceof HTMLHeadElement && ctx.head.ignore) {
      } else if (oldNode instanceof HTMLHeadElement && ctx.head.style !== "morph") {
        handleHeadElement(
          oldNode,
          /** @type {HTMLHeadElement} */
          newContent,
          ctx
        );
      } else {
        morphAttributes(oldNode, newContent, ctx);
        if (!ignoreValueOfActiveElement(oldNode, ctx)) {
          morphChildren(ctx, oldNode, newContent);
        }
      }
      ctx.callbacks.afterNodeMorphed(oldNode, newContent);
      return oldNode;
    }
    function morphAttributes(oldNode, newNode, ctx) {
      let type = newNode.nodeType;
      if (type === 1) {
        const oldElt = (
          /** @type {Element} */
          oldNode
        );
        const newElt = (
          /** @type {Element} */
          newNode
        );
        const oldAttributes = oldElt.attributes;
        const newAttributes = newElt.attributes;
        for (const newAttribute of newAttributes) {
          if (ignoreAttribute(newAttribute.name, oldElt, "update", ctx)) {
            continue;
          }
          if (oldElt.getAttribute(newAttribute.name) !== newAttribute.value) {
            oldElt.setAttribute(newAttribute.name, newAttribute.value);
          }
        }
        for (let i = oldAttributes.length - 1; 0 <= i; i--) {
          const oldAttribute = oldAttributes[i];
          if (!oldAttribute) continue;
          if (!newElt.hasAttribute(oldAttribute.name)) {
            if (ignoreAttribute(oldAttribute.name, oldElt, "remove", ctx)) {
              continue;
            }
            oldElt.removeAttribute(oldAttribute.name);
          }
        }
        if (!ignoreValueOfActiveElement(oldElt, ctx)) {
          syncInputValue(oldElt, newElt, ctx);
        }
      }
      if (type === 8 || type === 3) {
        if (oldNode.nodeValue !== newNode.nodeValue) {
          oldNode.nodeValue = newNode.nodeValue;
        }
      }
    }
    function syncInputValue(oldElement, newElement, ctx) {
      if (oldElement instanceof HTMLInputElement && newElement instanceof HTMLInputElement && newElement.type !== "file") {
        let newValue = newElement.value;
        let oldValue = oldElement.value;
        syncBooleanAttribute(oldElement, newElement, "checked", ctx);
        syncBooleanAttribute(oldElement, newElement, "disabled", ctx);
        if (!newElement.hasAttribute("value")) {
          if (!ignoreAttribute("value", oldElement, "remove", ctx)) {
            oldElement.value = "";
            oldElement.removeAttribute("value");
          }
        } else if (oldValue !== newValue) {
          if (!ignoreAttribute("value", oldElement, "update", ctx)) {
            oldElement.setAttribute("value", newValue);
            oldElement.value = newValue;
          }
        }
      } else if (oldElement instanceof HTMLOptionElement && newElement instanceof HTMLOptionElement) {
        syncBooleanAttribute(oldElement, newElement, "selected", ctx);
      } else if (oldElement instanceof HTMLTextAreaElement && newElement instanceof HTMLTextAreaElement) {
        let newValue = newElement.value;
        let oldValue = oldElement.value;
        if (ignoreAttribute("value", oldElement, "update", ctx)) {
          return;
        }
        if (newValue !== oldValue) {
          oldElement.value = newValue;
        }
        if (oldElement.firstChild && oldElement.firstChild.nodeValue !== newValue) {
          oldElement.firstChild.nodeValue = newValue;
        }
      }
    }
    function syncBooleanAttribute(oldElement, newElement, attributeName, ctx) {
      const newLiveValue = newElement[attributeName], oldLiveValue = oldElement[attributeName];
      if (newLiveValue !== oldLiveValue) {
        const ignoreUpdate = ignoreAttribute(
          attributeName,
          oldElement,
          "update",
          ctx
        );
        if (!ignoreUpdate) {
          oldElement[attributeName] = newElement[attributeName];
        }
        if (newLiveValue) {
          if (!ignoreUpdate) {
            oldElement.setAttribute(attributeName, "");
          }
        } else {
          if (!ignoreAttribute(attributeName, oldElement, "remove", ctx)) {
            oldElement.removeAttribute(attributeName);
          }
        }
      }
    }
    function ignoreAttribute(attr, element, updateType, ctx) {
      if (attr === "value" && ctx.ignoreActiveValue && element === document.activeElement) {
        return true;
      }
      return ctx.callbacks.beforeAttributeUpdated(attr, element, updateType) === false;
    }
    function ignoreValueOfActiveElement(possibleActiveElement, ctx) {
      return !!ctx.ignoreActiveValue && possibleActiveElement === document.activeElement && possibleActiveElement !== document.body;
    }
    return morphNode2;
  })();
  function withHeadBlocking(ctx, oldNode, newNode, callback) {
    if (ctx.head.block) {
      const oldHead = oldNode.querySelector("head");
      const newHead = newNode.querySelector("head");
      if (oldHead && newHead) {
        const promises = handleHeadElement(oldHead, newHead, ctx);
        return Promise.all(promises).then(() => {
          const newCtx = Object.assign(ctx, {
            head: {
              block: false,
              ignore: true
            }
          });
          return callback(newCtx);
        });
      }
    }
    return callback(ctx);
  }
  function handleHeadElement(oldHead, newHead, ctx) {
    let added = [];
    let removed = [];
    let preserved = [];
    let nodesToAppend = [];
    let srcToNewHeadNodes = /* @__PURE__ */ new Map();
    for (const newHeadChild of newHead.children) {
      srcToNewHeadNodes.set(newHeadChild.outerHTML, newHeadChild);
    }
    for (const currentHeadElt of oldHead.children) {
      let inNewContent = srcToNewHeadNodes.has(currentHeadElt.outerHTML);
      let isReAppended = ctx.head.shouldReAppend(currentHeadElt);
      let isPreserved = ctx.head.shouldPreserve(currentHeadElt);
      if (inNewContent || isPreserved) {
        if (isReAppended) {
          removed.push(currentHeadElt);
        } else {
          srcToNewHeadNodes.delete(currentHeadElt.outerHTML);
          preserved.push(currentHeadElt);
        }
      } else {
        if (ctx.head.style === "append") {
          if (isReAppended) {
            removed.push(currentHeadElt);
            nodesToAppend.push(currentHeadElt);
          }
        } else {
          if (ctx.head.shouldRemove(currentHeadElt) !== false) {
            removed.push(currentHeadElt);
          }
        }
      }
    }
    nodesToAppend.push(...srcToNewHeadNodes.values());
    let promises = [];
    for (const newNode of nodesToAppend) {
      let newElt = (
        /** @type {ChildNode} */
        document.createRange().createContextualFragment(newNode.outerHTML).firstChild
      );
      if (ctx.callbacks.beforeNodeAdded(newElt) !== false) {
        if ("href" in newElt && newElt.href || "src" in newElt && newElt.src) {
          let resolve;
          let promise = new Promise(function(_resolve) {
            resolve = _resolve;
          });
          newElt.addEventListener("load", function() {
            resolve();
          });
          promises.push(promise);
        }
        oldHead.appendChild(newElt);
        ctx.callbacks.afterNodeAdded(newElt);
        added.push(newElt);
      }
    }
    for (const removedElement of removed) {
      if (ctx.callbacks.beforeNodeRemoved(removedElement) !== false) {
        oldHead.removeChild(removedElement);
        ctx.callbacks.afterNodeRemoved(removedElement);
      }
    }
    ctx.head.afterHeadMorphed(oldHead, {
      added,
      kept: preserved,
      removed
    });
    return promises;
  }
  const createMorphContext = /* @__PURE__ */ (function() {
    function createMorphContext2(oldNode, newContent, config) {
      const { persistentIds, idMap } = createIdMaps(oldNode, newContent);
      const mergedConfig = mergeDefaults(config);
      const morphStyle = mergedConfig.morphStyle || "outerHTML";
      if (!["innerHTML", "outerHTML"].includes(morphStyle)) {
        throw `Do not understand how to morph style ${morphStyle}`;
      }
      return {
        target: oldNode,
        newContent,
        config: mergedConfig,
        morphStyle,
        ignoreActive: mergedConfig.ignoreActive,
        ignoreActiveValue: mergedConfig.ignoreActiveValue,
        restoreFocus: mergedConfig.restoreFocus,
        idMap,
        persistentIds,
        pantry: createPantry(),
        activeElementAndParents: createActiveElementAndParents(oldNode),
        callbacks: mergedConfig.callbacks,
        head: mergedConfig.head
      };
    }
    function mergeDefaults(config) {
      let finalConfig = Object.assign({}, defaults);
      Object.assign(finalConfig, config);
      finalConfig.callbacks = Object.assign(
        {},
        defaults.callbacks,
        config.callbacks
      );
      finalConfig.head = Object.assign({}, defaults.head, config.head);
      return finalConfig;
    }
    function createPantry() {
      const pantry = document.createElement("div");
      pantry.hidden = true;
      document.body.insertAdjacentElement("afterend", pantry);
      return pantry;
    }
    function createActiveElementAndParents(oldNode) {
      let activeElementAndParents = [];
      let elt = document.activeElement;
      if (elt?.tagName !== "BODY" && oldNode.contains(elt)) {
        while (elt) {
          activeElementAndParents.push(elt);
          if (elt === oldNode) break;
          elt = elt.parentElement;
        }
      }
      return activeElementAndParents;
    }
    function findIdElements(root) {
      let elements = Array.from(root.querySelectorAll("[id]"));
      if (root.getAttribute?.("id")) {
        elements.push(root);
      }
      return elements;
    }
    function populateIdMapWithTree(idMap, persistentIds, root, elements) {
      for (const elt of elements) {
        const id = (
          /** @type {String} */
          elt.getAttribute("id")
        );
        if (persistentIds.has(id)) {
          let current2 = elt;
          while (current2) {
            let idSet = idMap.get(current2);
            if (idSet == null) {
              idSet = /* @__PURE__ */ new Set();
              idMap.set(current2, idSet);
            }
            idSet.add(id);
            if (current2 === root) break;
            current2 = current2.parentElement;
          }
        }
      }
    }
    function createIdMaps(oldContent, newContent) {
      const oldIdElements = findIdElements(oldContent);
      const newIdElements = findIdElements(newContent);
      const persistentIds = createPersistentIds(oldIdElements, newIdElements);
      let idMap = /* @__PURE__ */ new Map();
      populateIdMapWithTree(idMap, persistentIds, oldContent, oldIdElements);
      const newRoot = newContent.__idiomorphRoot || newContent;
      populateIdMapWithTree(idMap, persistentIds, newRoot, newIdElements);
      return { persistentIds, idMap };
    }
    function createPersistentIds(oldIdElements, newIdElements) {
      let duplicateIds = /* @__PURE__ */ new Set();
      let oldIdTagNameMap = /* @__PURE__ */ new Map();
      for (const { id, tagName } of oldIdElements) {
        if (oldIdTagNameMap.has(id)) {
          duplicateIds.add(id);
        } else {
          oldIdTagNameMap.set(id, tagName);
        }
      }
      let persistentIds = /* @__PURE__ */ new Set();
      for (const { id, tagName } of newIdElements) {
        if (persistentIds.has(id)) {
          duplicateIds.add(id);
        } else if (oldIdTagNameMap.get(id) === tagName) {
          persistentIds.add(id);
        }
      }
      for (const id of duplicateIds) {
        persistentIds.delete(id);
      }
      return persistentIds;
    }
    return createMorphContext2;
  })();
  const { normalizeElement, normalizeParent } = /* @__PURE__ */ (function() {
    const generatedByIdiomorph = /* @__PURE__ */ new WeakSet();
    function normalizeElement2(content) {
      if (content instanceof Document) {
        return content.documentElement;
      } else {
        return content;
      }
    }
    function normalizeParent2(newContent) {
      if (newContent == null) {
        return document.createElement("div");
      } else if (typeof newContent === "string") {
        return normalizeParent2(parseContent(newContent));
      } else if (generatedByIdiomorph.has(
        /** @type {Element} */
        newContent
      )) {
        return (
          /** @type {Element} */
          newContent
        );
      } else if (newContent instanceof Node) {
        if (newContent.parentNode) {
          return (
            /** @type {any} */
            new SlicedParentNode(newContent)
          );
        } else {
          const dummyParent = document.createElement("div");
          dummyParent.append(newContent);
          return dummyParent;
        }
      } else {
        const dummyParent = document.createElement("div");
        for (const elt of [...newContent]) {
          dummyParent.append(elt);
        }
        return dummyParent;
      }
    }
    class SlicedParentNode {
      /** @param {Node} node */
      constructor(node) {
        this.originalNode = node;
        this.realParentNode = /** @type {Element} */
        node.parentNode;
        this.previousSibling = node.previousSibling;
        this.nextSibling = node.nextSibling;
      }
      /** @returns {Node[]} */
      get childNodes() {
        const nodes = [];
        let cursor = this.previousSibling ? this.previousSibling.nextSibling : this.realParentNode.firstChild;
        while (cursor && cursor != this.nextSibling) {
          nodes.push(cursor);
          cursor = cursor.nextSibling;
        }
        return nodes;
      }
      /**
       * @param {string} selector
       * @returns {Element[]}
       */
      querySelectorAll(selector) {
        return this.childNodes.reduce(
          (results, node) => {
            if (node instanceof Element) {
              if (node.matches(selector)) results.push(node);
              const nodeList = node.querySelectorAll(selector);
              for (let i = 0; i < nodeList.length; i++) {
                results.push(nodeList[i]);
              }
            }
            return results;
          },
          /** @type {Element[]} */
          []
        );
      }
      /**
       * @param {Node} node
       * @param {Node} referenceNode
       * @returns {Node}
       */
      insertBefore(node, referenceNode) {
        return this.realParentNode.insertBefore(node, referenceNode);
      }
      /**
       * @param {Node} node
       * @param {Node} referenceNode
       * @returns {Node}
       */
      moveBefore(node, referenceNode) {
        return this.realParentNode.moveBefore(node, referenceNode);
      }
      /**
       * for later use with populateIdMapWithTree to halt upwards iteration
       * @returns {Node}
       */
      get __idiomorphRoot() {
        return this.originalNode;
      }
    }
    function parseContent(newContent) {
      let parser = new DOMParser();
      let contentWithSvgsRemoved = newContent.replace(
        /<svg(\s[^>]*>|>)([\s\S]*?)<\/svg>/gim,
        ""
      );
      if (contentWithSvgsRemoved.match(/<\/html>/) || contentWithSvgsRemoved.match(/<\/head>/) || contentWithSvgsRemoved.match(/<\/body>/)) {
        let content = parser.parseFromString(newContent, "text/html");
        if (contentWithSvgsRemoved.match(/<\/html>/)) {
          generatedByIdiomorph.add(content);
          return content;
        } else {
          let htmlElement = content.firstChild;
          if (htmlElement) {
            generatedByIdiomorph.add(htmlElement);
          }
          return htmlElement;
        }
      } else {
        let responseDoc = parser.parseFromString(
          "<body><template>" + newContent + "</template></body>",
          "text/html"
        );
        let content = (
          /** @type {HTMLTemplateElement} */
          responseDoc.body.querySelector("template").content
        );
        generatedByIdiomorph.add(content);
        return content;
      }
    }
    return { normalizeElement: normalizeElement2, normalizeParent: normalizeParent2 };
  })();
  return {
    morph,
    defaults
  };
})();

// src/anju/portals/desk/islands/htmx.ts
var htmx = window.htmx;

// src/anju/portals/desk/islands/morph.ts
var kept = (old, fresh) => old instanceof HTMLElement && fresh instanceof HTMLElement && old.hasAttribute("data-keep") && old.id === fresh.id;
var same = (fresh) => fresh instanceof HTMLElement && fresh.hasAttribute("data-same");
var callbacks = {
  beforeNodeMorphed: (old, fresh) => !kept(old, fresh) && !same(fresh),
  beforeAttributeUpdated: (name, node) => !(name === "open" && (node instanceof HTMLDetailsElement || node instanceof HTMLDialogElement))
};
htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph:outerHTML",
  handleSwap: (style, target, fragment) => {
    if (!style.startsWith("morph:")) return void 0;
    const morphStyle = style === "morph:innerHTML" ? "innerHTML" : "outerHTML";
    return Idiomorph.morph(target, fragment.children, { morphStyle, callbacks, ignoreActiveValue: true });
  }
});
function tell(news) {
  if (!news) return;
  const told = news.startsWith("{") ? JSON.parse(news) : Object.fromEntries(news.split(",").map((name) => [name.trim(), {}]));
  for (const [name, detail] of Object.entries(told)) htmx.trigger(document.body, name, detail);
}
window.addEventListener("htmx:beforeSwap", (event) => {
  const arrived = event.detail;
  const asker = arrived.requestConfig.elt;
  if (!arrived.shouldSwap || asker.isConnected || !arrived.target.isConnected) return;
  arrived.shouldSwap = false;
  const swapStyle = arrived.swapOverride ?? asker.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
  htmx.swap(arrived.target, arrived.serverResponse, { swapStyle, swapDelay: 0, settleDelay: 20 }, {
    contextElement: arrived.target,
    eventInfo: arrived,
    afterSwapCallback: () => tell(arrived.xhr.getResponseHeader("HX-Trigger-After-Swap"))
  });
});
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers } = event.detail;
  if (elt.id !== "queue") return;
  const cards = elt.querySelectorAll("li[data-version]:not([data-same])");
  headers["X-Anju-Shown"] = [...cards].map((card) => card.dataset["version"]).join(" ");
});
document.addEventListener("htmx:afterSwap", () => {
  const bare = document.querySelectorAll("#queue li[data-same]");
  bare.forEach((card) => card.remove());
  const queue = document.getElementById("queue");
  if (bare.length && queue) htmx.trigger(queue, "refresh");
});
var late = /* @__PURE__ */ new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !event.isTrusted || !(form instanceof HTMLFormElement) || !form.hasAttribute("hx-post")) return;
  event.preventDefault();
  if (late.has(form)) return;
  late.add(form);
  htmx.process(form);
  window.setTimeout(() => form.requestSubmit(event.submitter));
});

// src/anju/portals/desk/islands/live.ts
var WORDS = {
  starting: ["refresh", "正在接通"],
  live: ["signal", "实时"],
  late: ["alert", "实时中断，正在重连"],
  out: ["lock", "登录已失效，请重新登录"]
};
var SILENCE = 12e3;
var PAUSES = [300, 700, 1500, 3e3, 5e3];
function refresh(region) {
  htmx.trigger(region, "refresh");
}
function refreshAll() {
  document.querySelectorAll("[data-live]").forEach(refresh);
}
function shows(region, change) {
  const wanted = (region.dataset["live"] ?? "").split(" ");
  return wanted.includes(change.t) || wanted.includes(`${change.t}:${change.i}`);
}
function isNews(region, change) {
  if (region.id === "queue") return change.t === "queue" && !region.querySelector(`[data-incident="${change.i}"]`);
  return region.dataset["incident"] === String(change.i);
}
var AT_ONCE = 20;
var SOON = 600;
var LATER = 3e3;
function haste(region, change) {
  if (isNews(region, change)) return AT_ONCE;
  return region.dataset["calm"] === void 0 ? SOON : LATER;
}
var LiveLine = class extends HTMLElement {
  source;
  epoch = "";
  counted = 0;
  heardAt = 0;
  failures = 0;
  asked = 0;
  // which question to the server is the newest: an older one's answer counts no more
  waiting = /* @__PURE__ */ new Map();
  watch;
  retry;
  connectedCallback() {
    this.show("starting");
    this.connect();
    this.addEventListener("bye", () => this.bye());
    this.watch = window.setInterval(() => this.listenForSilence(), 1e3);
    window.addEventListener("online", this.again);
    document.addEventListener("visibilitychange", this.again);
  }
  disconnectedCallback() {
    window.clearInterval(this.watch);
    window.clearTimeout(this.retry);
    window.removeEventListener("online", this.again);
    document.removeEventListener("visibilitychange", this.again);
    this.source?.close();
  }
  again = () => {
    if (this.dataset["state"] === "late" && this.source?.readyState !== EventSource.OPEN) this.connect();
  };
  connect() {
    window.clearTimeout(this.retry);
    this.source?.close();
    this.heardAt = performance.now();
    const source = new EventSource(this.getAttribute("src") ?? "/events");
    this.source = source;
    source.addEventListener("hello", (event) => this.hello(JSON.parse(event.data)));
    source.addEventListener("changed", (event) => this.changed(JSON.parse(event.data)));
    source.addEventListener("beat", (event) => this.beat(JSON.parse(event.data)));
    source.addEventListener("resync", () => this.resync());
    source.addEventListener("deaf", () => this.deaf());
    source.addEventListener("bye", () => this.bye());
    source.onerror = () => this.lost();
  }
  hello(beat) {
    this.failures = 0;
    this.epoch = beat.epoch;
    this.counted = beat.n;
    this.alive(beat.now);
    refreshAll();
  }
  changed(change) {
    this.counted += 1;
    this.heardAt = performance.now();
    document.querySelectorAll("[data-live]").forEach((region) => {
      if (shows(region, change)) this.soon(region, haste(region, change));
    });
    this.dispatchEvent(new CustomEvent("anju:changed", { detail: change, bubbles: true }));
  }
  /** Many changes of one transaction are one fetch, and many small steps of other cases never hold up a new one. */
  soon(region, wait) {
    const sooner = [...this.waiting].some(([other, regions]) => other <= wait && regions.has(region));
    if (sooner) return;
    const due = this.waiting.get(wait);
    if (due) due.add(region);
    else {
      this.waiting.set(wait, /* @__PURE__ */ new Set([region]));
      window.setTimeout(() => this.flush(wait), wait);
    }
  }
  flush(wait) {
    const regions = this.waiting.get(wait) ?? [];
    this.waiting.delete(wait);
    for (const region of regions) {
      this.waiting.forEach((later) => later.delete(region));
      const still = region.isConnected ? region : document.getElementById(region.id);
      if (still) refresh(still);
    }
  }
  beat(beat) {
    this.alive(beat.now);
    if (beat.epoch === this.epoch && beat.n === this.counted) return;
    this.epoch = beat.epoch;
    this.counted = beat.n;
    this.dataset["gaps"] = String(Number(this.dataset["gaps"] ?? 0) + 1);
    refreshAll();
  }
  resync() {
    this.heardAt = performance.now();
    this.dataset["gaps"] = String(Number(this.dataset["gaps"] ?? 0) + 1);
    refreshAll();
  }
  /** The server itself hears nothing at the moment: a line that stands is no proof. The next heartbeat ends it. */
  deaf() {
    this.heardAt = performance.now();
    this.show("late");
  }
  bye() {
    this.source?.close();
    window.clearTimeout(this.retry);
    this.show("out");
  }
  alive(serverNow) {
    hearServerTime(serverNow);
    this.heardAt = performance.now();
    this.show("live");
  }
  listenForSilence() {
    if (this.dataset["state"] !== "out" && performance.now() - this.heardAt > SILENCE) this.lost();
  }
  lost() {
    this.source?.close();
    if (this.dataset["state"] === "out") return;
    this.heardAt = performance.now();
    this.show("late");
    const pause = PAUSES[Math.min(this.failures, PAUSES.length - 1)] ?? 5e3;
    this.failures += 1;
    this.asked += 1;
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => void this.reconnect(), pause);
  }
  /** EventSource hides the status, so ask first whether the log-in still stands. */
  async reconnect() {
    const asked = this.asked;
    try {
      const answer = await fetch("/desk/alive", { redirect: "manual", cache: "no-store" });
      if (asked !== this.asked) return;
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return this.bye();
      if (answer.ok) return this.connect();
    } catch {
    }
    if (asked === this.asked) this.lost();
  }
  show(state) {
    if (this.dataset["state"] === state) return;
    this.dataset["state"] = state;
    const [icon, word] = WORDS[state];
    this.innerHTML = `<svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg><span>${word}</span>`;
    if (state === "out") this.insertAdjacentHTML("beforeend", ` <a href="/login/?next=/desk/">去登录</a>`);
    document.documentElement.dataset["line"] = state;
  }
};
customElements.define("live-line", LiveLine);
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  event.preventDefault();
  document.querySelector("live-line")?.dispatchEvent(new Event("bye"));
});

// src/anju/portals/desk/islands/sound.ts
var VOLUME = { off: 0, low: 0.25, high: 0.8 };
var NEXT = { high: "low", low: "off", off: "high" };
var TUNES = [
  [9, { tones: [[880, 0.22], [660, 0.22], [880, 0.22], [660, 0.22]], every: 1.4 }],
  [7, { tones: [[740, 0.18], [740, 0.18], [740, 0.18]], every: 3 }],
  [5, { tones: [[590, 0.2], [590, 0.2]], every: 5 }],
  [0, { tones: [[520, 0.25]], every: 0 }]
];
var BELLS = {
  emergency: { tones: [[1e3, 0.1], [800, 0.1], [1e3, 0.1], [800, 0.1], [1e3, 0.1], [800, 0.1]], every: 1.2 },
  call: { tones: [[480, 0.12], [440, 0.12], [480, 0.12], [440, 0.12]], every: 2.4 }
};
var DeskSound = class extends HTMLElement {
  audio;
  level = "high";
  ringing = -1;
  bell = "";
  round;
  observer = new MutationObserver(() => this.look());
  tabTitle = document.title;
  connectedCallback() {
    const saved = localStorage.getItem("anju_sound");
    if (saved === "off" || saved === "low" || saved === "high") this.level = saved;
    this.addEventListener("click", () => void this.press());
    document.addEventListener("pointerdown", this.wake, { capture: true });
    document.addEventListener("keydown", this.wake, { capture: true });
    this.observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ringing", "data-rings"] });
    this.look();
    this.show();
  }
  disconnectedCallback() {
    this.observer.disconnect();
    window.clearInterval(this.round);
    document.removeEventListener("pointerdown", this.wake, { capture: true });
    document.removeEventListener("keydown", this.wake, { capture: true });
  }
  /** Any touch of the page lets the browser play. */
  wake = () => {
    if (this.audio?.state === "running") return;
    this.audio ??= new AudioContext();
    void this.audio.resume().then(() => {
      this.show();
      this.play();
    });
  };
  async press() {
    if (this.audio?.state !== "running") {
      this.wake();
      return;
    }
    this.level = NEXT[this.level];
    localStorage.setItem("anju_sound", this.level);
    this.show();
    this.sound({ tones: [[660, 0.12]], every: 0 });
  }
  look() {
    const queue = document.querySelector("[data-ringing]");
    const ringing = Number(queue?.dataset["ringing"] ?? -1);
    const bell = document.querySelector("soft-phone")?.dataset["rings"] ?? "";
    if (ringing === this.ringing && bell === this.bell) return;
    this.ringing = ringing;
    this.bell = bell;
    this.play();
    this.show();
  }
  play() {
    window.clearInterval(this.round);
    this.round = void 0;
    const tune = BELLS[this.bell] ?? TUNES.find(([least]) => this.ringing >= least)?.[1];
    if (!tune) return;
    this.sound(tune);
    if (tune.every) this.round = window.setInterval(() => this.sound(tune), tune.every * 1e3);
  }
  sound(tune) {
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
  show() {
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
};
customElements.define("desk-sound", DeskSound);

// src/anju/portals/desk/islands/keys.ts
var typing2 = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
var first = (selector) => document.querySelector(selector);
function step(by) {
  const cards = [...document.querySelectorAll("#queue a.qcard")];
  if (!cards.length) return;
  const focused = document.activeElement instanceof HTMLElement ? cards.indexOf(document.activeElement) : -1;
  const start = focused >= 0 ? focused : cards.findIndex((card) => card.hasAttribute("aria-current"));
  const next = start < 0 ? by > 0 ? 0 : cards.length - 1 : Math.min(Math.max(start + by, 0), cards.length - 1);
  cards[next]?.focus();
  cards[next]?.scrollIntoView({ block: "nearest" });
}
function press(key) {
  if (key === "j" || key === "ArrowDown") step(1);
  else if (key === "k" || key === "ArrowUp") step(-1);
  else if (key === "n") return focusOn("#case .note-box input[name=text]");
  else if (first(`#case [data-focus="${CSS.escape(key)}"]`)) return focusOn(`#case [data-focus="${CSS.escape(key)}"]`);
  else if (/^[1-9]$/.test(key)) return click(`#case [data-rung="${key}"] [data-call]`);
  else if (key === "a" && !first('[data-press="a"]')) return click("#queue a.qcard[data-ring]");
  else return click(`[data-press="${CSS.escape(key)}"]:not(:disabled)`);
  return true;
}
function click(selector) {
  const goal = first(selector);
  goal?.click();
  return goal !== null;
}
function focusOn(selector) {
  const goal = first(selector);
  goal?.focus();
  return goal !== null;
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const open2 = first("dialog[open]");
  if (event.key === "F9") {
    event.preventDefault();
    if (open2) open2.close();
    else click('[data-press="F9"]');
    return;
  }
  if (event.key === "F8" || event.key === "F10") {
    event.preventDefault();
    if (!event.repeat) click(`[data-press="${event.key}"]:not(:disabled)`);
    return;
  }
  if (open2) return;
  if (event.key === "Escape" && typing2(event.target)) event.target.blur();
  if (typing2(event.target)) return;
  const inList = event.target instanceof Element && event.target.closest("[role=tablist], details[open]");
  if (inList && event.key.startsWith("Arrow")) return;
  if (press(event.key)) event.preventDefault();
});

// src/anju/portals/desk/islands/dialog.ts
var DeskDialog = class extends HTMLElement {
  opener = null;
  connectedCallback() {
    const box = this.box;
    document.addEventListener("htmx:beforeRequest", (event) => {
      const { target, elt } = event.detail;
      if (target.id === "dialog-body" && !box.open && elt instanceof HTMLElement) this.opener = elt;
    });
    document.addEventListener("htmx:afterSwap", (event) => {
      const { target } = event.detail;
      if (target.id !== "dialog-body" || box.open || !target.childElementCount) return;
      box.showModal();
      (box.querySelector("[autofocus]") ?? box.querySelector("input, select, textarea, button"))?.focus();
    });
    document.addEventListener("anju:done", () => box.close());
    box.addEventListener("click", (event) => {
      const pressed = event.target;
      if (pressed === box || pressed.closest("[data-close]")) box.close();
    });
    box.addEventListener("close", () => {
      const body = box.querySelector("#dialog-body");
      if (body) body.innerHTML = "";
      if (this.opener?.isConnected) this.opener.focus();
    });
  }
  get box() {
    return this.querySelector("dialog");
  }
};
customElements.define("desk-dialog", DeskDialog);

// src/anju/portals/desk/islands/draft.ts
var DraftText = class extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input[name], textarea[name]");
    const form = this.closest("form");
    if (!input || !form) return;
    const key = `anju_draft_${this.getAttribute("key")}`;
    input.value ||= sessionStorage.getItem(key) ?? "";
    input.addEventListener("input", () => {
      if (input.value) sessionStorage.setItem(key, input.value);
      else sessionStorage.removeItem(key);
    });
    let sent = "";
    form.addEventListener("htmx:beforeSend", () => sent = input.value);
    form.addEventListener("htmx:afterRequest", (event) => {
      const { successful, xhr } = event.detail;
      if (!successful || xhr.getResponseHeader("X-Anju-Refused")) return;
      if (input.value !== sent) return;
      sessionStorage.removeItem(key);
      input.value = "";
    });
  }
};
customElements.define("draft-text", DraftText);

// src/anju/portals/desk/islands/typed.ts
var PAUSE = 700;
var TypedForm = class extends HTMLElement {
  touched = /* @__PURE__ */ new Set();
  timer = 0;
  connectedCallback() {
    this.addEventListener("input", (event) => {
      const name = event.target.name;
      if (!name) return;
      this.touched.add(name);
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.keep(), PAUSE);
    });
    this.addEventListener("submit", () => this.forget());
    window.addEventListener("pagehide", this.flush);
  }
  disconnectedCallback() {
    window.removeEventListener("pagehide", this.flush);
    this.flush();
  }
  flush = () => {
    if (this.timer) this.keep();
  };
  forget() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.touched.clear();
  }
  keep() {
    clearTimeout(this.timer);
    this.timer = 0;
    const form = this.querySelector("form");
    const to = this.getAttribute("to");
    if (!form || !to || !this.touched.size) return;
    const said = new FormData();
    for (const [name, value] of new FormData(form)) if (this.touched.has(name) || name === "call" || name === "csrfmiddlewaretoken") said.append(name, value);
    void fetch(to, { method: "POST", body: said, keepalive: true, credentials: "same-origin" }).catch(() => void 0);
  }
};
customElements.define("typed-form", TypedForm);

// src/anju/portals/desk/islands/panes.ts
var current = () => document.querySelector("#case")?.dataset["incident"] ?? "";
function mark() {
  const open2 = current();
  document.querySelectorAll("#queue a.qcard").forEach((card) => {
    const here = open2 !== "" && card.dataset["incident"] === open2;
    if (here !== card.hasAttribute("aria-current")) {
      if (here) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
    }
  });
}
function show(pane) {
  const desk = document.getElementById("desk");
  if (!desk) return;
  desk.dataset["pane"] = pane;
  desk.querySelectorAll("[data-pane-of]").forEach(
    (tab) => tab.setAttribute("aria-selected", String(tab.dataset["paneOf"] === pane))
  );
}
document.addEventListener("click", (event) => {
  const pressed = event.target instanceof Element ? event.target : null;
  const tab = pressed?.closest("[data-pane-of]");
  if (tab) show(tab.dataset["paneOf"] ?? "queue");
  const fileTab = pressed?.closest("[role=tab]");
  if (fileTab)
    fileTab.parentElement?.querySelectorAll("[role=tab]").forEach((one) => one.setAttribute("aria-selected", String(one === fileTab)));
});
var opening;
async function open(path) {
  opening?.abort();
  const mine = opening = new AbortController();
  const place = document.getElementById("case");
  place?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(path, { headers: { "HX-Request": "true", "X-Anju-By": "hand" }, signal: mine.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    const fresh = holder.content.firstElementChild;
    const old = document.getElementById("case");
    if (mine.signal.aborted || !fresh || !old) return;
    old.replaceWith(fresh);
    htmx.process(fresh);
    history.replaceState(null, "", path);
    mark();
    show("case");
  } catch {
    if (!mine.signal.aborted) window.location.assign(path);
  } finally {
    document.getElementById("case")?.removeAttribute("aria-busy");
  }
}
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-open]") : null;
  if (!link || event.ctrlKey || event.metaKey || event.button) return;
  event.preventDefault();
  void open(new URL(link.href).pathname);
});
document.addEventListener("htmx:afterSettle", mark);
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (elt instanceof HTMLFormElement) elt.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt } = event.detail;
  elt.removeAttribute("aria-busy");
});
mark();
document.addEventListener("htmx:configRequest", (event) => {
  const { headers, triggeringEvent } = event.detail;
  const hand = triggeringEvent && ["click", "submit", "input", "keydown"].includes(triggeringEvent.type);
  headers["X-Anju-By"] ??= hand ? "hand" : "machine";
  headers["X-CSRFToken"] = document.body.dataset["csrf"] ?? "";
});
document.addEventListener(
  "click",
  (event) => {
    if (event.detail < 2 || !(event.target instanceof Element) || !event.target.closest("#case button, dialog button")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true }
);
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  if (target.id !== "case" || requestConfig.verb !== "get") return;
  const asked = /^\/desk\/incident\/(\d+)$/.exec(requestConfig.path)?.[1] ?? "";
  if (asked !== current()) event.detail.shouldSwap = false;
});

// src/anju/portals/desk/islands/guard.ts
var BUSY = "anju_phone_talks";
var PAGE = crypto.randomUUID();
var Guard = class {
  constructor(name, lost) {
    this.name = name;
    this.lost = lost;
  }
  drop;
  /** Whether this page may be the telephone; `steal` takes it from another page of this browser. */
  take(steal = false) {
    return new Promise((resolve) => {
      const held = (lock) => {
        resolve(lock !== null);
        if (!lock) return void 0;
        return new Promise((drop) => this.drop = drop);
      };
      navigator.locks.request(`anju-phone-${this.name}`, steal ? { steal: true } : { ifAvailable: true }, held).catch(() => {
        this.drop = void 0;
        this.lost();
      });
    });
  }
  leave() {
    this.drop?.();
    this.drop = void 0;
  }
  get holds() {
    return this.drop !== void 0;
  }
  /** Another page must not take the telephone away while it talks. */
  static talks(on) {
    if (on) localStorage.setItem(BUSY, String(Date.now()));
    else localStorage.removeItem(BUSY);
  }
  static get otherTalks() {
    return Date.now() - Number(localStorage.getItem(BUSY) ?? 0) < 5e3;
  }
};

// src/anju/portals/desk/islands/mic.ts
var CHOSEN = "anju_mic";
var LOUD = 0.02;
var HEARD_MS = 300;
var QUIET_MS = 8e3;
var SAYS = {
  unknown: "",
  asking: "浏览器在问能不能用麦克风，请点“允许”。",
  listening: "说一句话，比如“一二三”。",
  quiet: "没有听到声音。看话筒开关、静音键有没有关着，或换一个设备。",
  ok: "听到您的声音了。",
  refused: "浏览器不让用麦克风。点地址栏左边的图标，把“麦克风”改成允许，再点重试。",
  missing: "没有找到麦克风。插上耳麦，再点重试。"
};
function voice() {
  const device = localStorage.getItem(CHOSEN);
  return navigator.mediaDevices.getUserMedia({
    audio: { ...device ? { deviceId: { ideal: device } } : {}, echoCancellation: true, noiseSuppression: true, autoGainControl: true }
  });
}
function silence(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
function refusal(error) {
  const name = error instanceof DOMException ? error.name : "";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "missing" : "refused";
}
var MicCheck = class {
  constructor(done, changed) {
    this.done = done;
    this.changed = changed;
    this.box.className = "mic";
    this.box.innerHTML = `
      <label class="mic__device">麦克风 <select class="select" aria-label="麦克风"></select></label>
      <div class="mic__meter" role="meter" aria-label="声音大小" aria-valuemin="0" aria-valuemax="100"><i></i></div>
      <p class="mic__say" role="status"></p>
      <div class="row"><button class="btn" type="button" data-size="s" data-again>重试</button><button class="btn push" type="button" data-size="s" data-look="primary" data-done disabled>听得到，就绪</button></div>`;
    this.find("[data-again]").addEventListener("click", () => void this.start());
    this.find("[data-done]").addEventListener("click", () => this.finish());
    this.select.addEventListener("change", () => {
      localStorage.setItem(CHOSEN, this.select.value);
      void this.start();
    });
  }
  box = document.createElement("div");
  state = "unknown";
  stream = null;
  audio;
  frame = 0;
  heard = 0;
  begun = 0;
  async start() {
    this.stop();
    this.show("asking");
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
      this.stream = await voice();
    } catch (error) {
      this.show(refusal(error));
      return;
    }
    await this.list();
    this.audio = new AudioContext();
    const ear = this.audio.createAnalyser();
    ear.fftSize = 1024;
    this.audio.createMediaStreamSource(this.stream).connect(ear);
    this.heard = 0;
    this.begun = performance.now();
    this.show("listening");
    const room = new Float32Array(ear.fftSize);
    let last = performance.now();
    const look = () => {
      ear.getFloatTimeDomainData(room);
      const level = Math.sqrt(room.reduce((sum, x) => sum + x * x, 0) / room.length);
      const now2 = performance.now();
      if (level > LOUD) this.heard += now2 - last;
      last = now2;
      this.meter(level);
      if (this.heard >= HEARD_MS) this.show("ok");
      else if (now2 - this.begun > QUIET_MS) this.show("quiet");
      this.frame = requestAnimationFrame(look);
    };
    look();
  }
  stop() {
    cancelAnimationFrame(this.frame);
    silence(this.stream);
    this.stream = null;
    void this.audio?.close().catch(() => void 0);
    this.audio = void 0;
  }
  finish() {
    const label2 = this.stream?.getAudioTracks()[0]?.label ?? "";
    this.stop();
    this.done(label2);
  }
  async list() {
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "audioinput");
    const now2 = this.stream?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
    this.select.replaceChildren(...devices.map((one, n) => new Option(one.label || `麦克风 ${n + 1}`, one.deviceId, false, one.deviceId === now2)));
  }
  meter(level) {
    const percent = Math.min(100, Math.round(Math.sqrt(level) * 160));
    const meter = this.find(".mic__meter");
    meter.setAttribute("aria-valuenow", String(percent));
    meter.style.setProperty("--level", `${percent}%`);
  }
  show(state) {
    if (this.state === state) return;
    this.state = state;
    this.box.dataset["state"] = state;
    this.find(".mic__say").textContent = SAYS[state];
    this.find("[data-done]").disabled = state !== "ok";
    this.changed(state);
  }
  get select() {
    return this.find("select");
  }
  find(selector) {
    return this.box.querySelector(selector);
  }
};

// src/anju/portals/desk/islands/phone.ts
var LINE_WORDS = {
  starting: ["refresh", "话机准备中"],
  connecting: ["refresh", "话机连接中"],
  ready: ["headset", "话机就绪"],
  lost: ["alert", "话机断开，正在重连"],
  refused: ["alert", "话机登记被拒"],
  elsewhere: ["lock", "话机在另一处"],
  simulated: ["alert", "模拟话务"],
  none: ["mute", "没有话机"]
};
var LINE_HELP = {
  starting: "正在取这一席的话机设置。",
  connecting: "正在向话务引擎登记。一般不到一秒；久了请告诉值班长。",
  ready: "已登记，可以振铃。",
  lost: "与话务引擎的连接断了，正在自己重连，不用做什么。这期间来电会给别的座席。超过一分钟请告诉值班长，改用备用话机。",
  refused: "话务引擎不认这一席的密码。请系统管理员在“线路”里重发这一席的密码，再刷新本页。",
  elsewhere: "这一席的话机开在另一个窗口或另一台电脑上。一席只能有一部话机，否则来电会响错地方。",
  simulated: "没有接话务引擎，电话都是模拟的，不能接真实来电。",
  none: "您还没有分机。请系统管理员在“线路”里给您分一个，再刷新本页。"
};

// src/anju/portals/desk/islands/softphone.ts
var HANG_UP_PATIENCE = 3e3;
var LEFT_OVER = 6e3;
var MIC_OK = "anju_mic_ok";
var SoftPhone = class extends HTMLElement {
  lineState = "starting";
  why = "";
  talk = "idle";
  mic = "unknown";
  trouble = "";
  config;
  line;
  guard;
  check;
  stream = null;
  afterCheck;
  strayAt = 0;
  seenMine = false;
  tick;
  observer = new MutationObserver(() => this.serverSaid());
  connectedCallback() {
    this.innerHTML = `<button class="phone" type="button" aria-expanded="false"></button><div class="phone__panel" popover></div>`;
    this.button.popoverTargetElement = this.panel;
    this.panel.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
    document.addEventListener("click", this.pressed, { capture: true });
    document.addEventListener("keydown", this.keyed, { capture: true });
    window.addEventListener("beforeunload", this.unloading);
    window.addEventListener("pagehide", this.leaving);
    navigator.mediaDevices?.addEventListener("devicechange", this.devices);
    const call = document.getElementById("phone");
    if (call?.parentElement) this.observer.observe(call.parentElement, { subtree: true, childList: true, attributes: true });
    this.tick = window.setInterval(() => this.lookAfter(), 1e3);
    this.mic = sessionStorage.getItem(MIC_OK) ? "ok" : "unknown";
    this.show();
    void this.begin();
  }
  disconnectedCallback() {
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
  async begin(steal = false) {
    this.guard ??= new Guard(this.getAttribute("user") ?? "", () => this.stepAside());
    if (!this.guard.holds && !await this.guard.take(steal)) return this.setLine("elsewhere", "");
    try {
      this.config = await this.post("here", { page: PAGE });
    } catch {
      this.setLine(this.lineState === "starting" ? "starting" : this.lineState, "");
      window.setTimeout(() => void this.begin(), 2e3);
      return;
    }
    if (!this.guard.holds) return;
    if (this.config.mode !== "sip") return this.setLine(this.config.mode, this.config.why);
    this.setLine("connecting", "");
    const { connect } = await import(this.getAttribute("sip") ?? "");
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
      }
    });
    this.line.start();
  }
  /** Another window or computer is the telephone now. A call that is up here stays up until it ends. */
  stepAside() {
    if (this.line?.calling) return;
    this.line?.stop();
    this.line = void 0;
    this.guard?.leave();
    this.setLine("elsewhere", "");
  }
  ringing(auto) {
    this.setTalk("ringing");
    if (auto) void this.answer();
  }
  ended() {
    silence(this.stream);
    this.stream = null;
    this.trouble = "";
    this.setTalk("idle");
    const call = document.getElementById("phone");
    if (call) refresh(call);
    if (this.dataset["aside"] !== void 0) this.stepAside();
  }
  async answer() {
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
  pressed = (event) => {
    const key = event.target instanceof Element ? event.target.closest("[data-phone]") : null;
    if (!key) return;
    const stop = () => {
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
        if (this.config?.mode !== "sip") return;
        stop();
        void this.answer();
        return;
      case "hangup":
        window.setTimeout(() => this.line?.hangUp(), HANG_UP_PATIENCE);
        return;
      case "mute":
        this.line?.mute(key.getAttribute("aria-pressed") !== "true");
        return;
    }
  };
  keyed = (event) => {
    if (event.key !== "F8" || event.repeat || this.talk !== "ringing") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void this.answer();
  };
  unloading = (event) => {
    if (this.busy) event.preventDefault();
  };
  /** The page goes while somebody talks: the server gives the caller to the next seat at once. */
  leaving = () => {
    if (!this.busy) return;
    const form = new FormData();
    form.set("csrfmiddlewaretoken", document.body.dataset["csrf"] ?? "");
    form.set("page", PAGE);
    navigator.sendBeacon(this.address("gone"), form);
  };
  get busy() {
    return this.talk !== "idle" || this.config?.mode === "simulated" && this.server("talk") === "talking";
  }
  // ---- what the server says
  serverSaid() {
    const page = this.server("page");
    if (page === PAGE) this.seenMine = true;
    else if (page && this.seenMine && this.lineState !== "elsewhere") {
      this.seenMine = false;
      if (this.line?.calling) this.dataset["aside"] = "";
      else this.stepAside();
    }
    const muted = this.server("muted");
    if (this.talk === "talking" && muted) this.line?.mute(muted === "yes");
    this.ring();
  }
  server(name) {
    return document.getElementById("phone")?.dataset[name] ?? "";
  }
  /** Every second: the mark for other pages, and a call that lives here but no longer in the centre. */
  lookAfter() {
    if (this.guard?.holds) Guard.talks(this.busy);
    const stray = this.talk === "talking" && this.server("talk") === "" && document.documentElement.dataset["line"] === "live";
    if (!stray) this.strayAt = 0;
    else if (!this.strayAt) this.strayAt = performance.now();
    else if (performance.now() - this.strayAt > LEFT_OVER) this.line?.hangUp();
    if (this.lineState === "elsewhere") this.show();
  }
  // ---- the microphone
  devices = () => {
    if (this.mic !== "ok" || this.config?.mode !== "sip") return;
    void navigator.mediaDevices.enumerateDevices().then((all) => {
      if (!all.some((one) => one.kind === "audioinput")) this.micLost("missing");
    });
  };
  micLost(state) {
    this.mic = state;
    sessionStorage.removeItem(MIC_OK);
    void this.post("mic", { ok: "", device: "" }).catch(() => void 0);
    this.show();
  }
  async micPassed(device) {
    this.mic = "ok";
    sessionStorage.setItem(MIC_OK, "1");
    this.panel.hidePopover();
    await this.post("mic", { ok: "1", device }).catch(() => void 0);
    this.show();
    this.afterCheck?.();
    this.afterCheck = void 0;
  }
  toggled(open2) {
    this.button.setAttribute("aria-expanded", String(open2));
    if (!open2) {
      this.check?.stop();
      return;
    }
    const [icon, word] = LINE_WORDS[this.lineState];
    this.panel.innerHTML = `<h3><svg class="icon" aria-hidden="true"><use href="#i-${icon}"/></svg>${word}</h3><p></p>`;
    const help = this.panel.querySelector("p");
    help.textContent = this.why && this.lineState === "none" ? this.why : LINE_HELP[this.lineState];
    if (this.lineState === "elsewhere") this.offerMove();
    if (this.config?.mode !== "sip" || this.lineState === "elsewhere") return;
    this.check ??= new MicCheck((device) => void this.micPassed(device), () => void 0);
    this.panel.append(this.check.box);
    if (this.talk === "idle") void this.check.start();
  }
  offerMove() {
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
  setLine(state, why) {
    const came = state === "ready" && this.lineState !== "ready";
    this.lineState = state;
    this.why = why;
    this.show();
    if (came) void this.post("registered", { page: PAGE }).catch(() => void 0);
  }
  setTalk(talk) {
    this.talk = talk;
    this.show();
    this.ring();
  }
  /** The ringing sound is played by sound.ts, which watches this. */
  ring() {
    const rings = this.talk === "ringing" || this.server("talk") === "ringing" ? this.server("urgent") || "call" : "";
    if ((this.dataset["rings"] ?? "") !== rings) this.dataset["rings"] = rings;
  }
  show() {
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
  get button() {
    return this.querySelector("button");
  }
  get panel() {
    return this.querySelector(".phone__panel");
  }
  address(verb) {
    return `/desk/phone/${verb}`;
  }
  async post(verb, words) {
    const answer = await fetch(this.address(verb), {
      method: "POST",
      body: new URLSearchParams(words),
      headers: { "X-CSRFToken": document.body.dataset["csrf"] ?? "", "HX-Request": "true" }
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return await answer.json();
  }
};
customElements.define("soft-phone", SoftPhone);

// src/anju/portals/desk/islands/pop.ts
var DONE = "anju_popped";
function pop() {
  const call = document.getElementById("phone");
  const path = call?.dataset["pop"];
  if (!call || !path) return;
  const key = `${call.dataset["call"]} ${path}`;
  if (sessionStorage.getItem(DONE) === key) return;
  sessionStorage.setItem(DONE, key);
  if (window.location.pathname !== path) void open(path);
}
var phone = document.getElementById("phone");
if (phone?.parentElement) {
  new MutationObserver(pop).observe(phone.parentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-pop", "data-call"] });
  pop();
}
document.addEventListener("anju:said", (event) => {
  const place = document.getElementById("phone-say");
  const { text } = event.detail;
  if (!place) return;
  place.innerHTML = text ? `<p class="notice" data-kind="warn"><svg class="icon" aria-hidden="true"><use href="#i-alert"/></svg><span></span></p>` : "";
  const said = place.querySelector("span");
  if (said) said.textContent = text;
});
