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
