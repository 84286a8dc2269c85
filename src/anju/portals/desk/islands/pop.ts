// Screen pop: in the moment of answering the page opens who is speaking. Once per call: what the agent opens later is hers.
import { open } from "./panes";

const DONE = "anju_popped";

function pop(): void {
  const call = document.getElementById("phone");
  const path = call?.dataset["pop"];
  if (!call || !path) return;
  const key = `${call.dataset["call"]} ${path}`;
  if (sessionStorage.getItem(DONE) === key) return;
  sessionStorage.setItem(DONE, key);
  if (window.location.pathname !== path) void open(path);
}

const phone = document.getElementById("phone");
if (phone?.parentElement) {
  new MutationObserver(pop).observe(phone.parentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-pop", "data-call"] });
  pop();
}

/** What the switchboard refused, in words beside the bar; the next press that is taken clears it. */
document.addEventListener("anju:said", (event) => {
  const place = document.getElementById("phone-say");
  const { text } = (event as CustomEvent<{ text: string }>).detail;
  if (!place) return;
  place.innerHTML = text ? `<p class="notice" data-kind="warn"><svg class="icon" aria-hidden="true"><use href="#i-alert"/></svg><span></span></p>` : "";
  const said = place.querySelector("span");
  if (said) said.textContent = text;
});
