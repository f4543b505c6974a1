// The run file is checked while it is written; the button works for what was checked, and the server looks once more.
import { morph } from "./morph.js";

const PAUSE_MS = 700;
const form = document.getElementById("submit");
const go = document.getElementById("go");
const key = document.getElementById("checked");
const part = document.getElementById("check");
let due, asked, number = 0;

function show(html) {
  morph(part, new DOMParser().parseFromString(html, "text/html").body);
}

function say(text) {
  const note = document.createElement("p");
  note.className = "empty";
  note.textContent = text;
  part.replaceChildren(note);
}

async function check() {
  const mine = ++number;
  go.disabled = true;
  key.value = "";
  asked?.abort(); // nobody waits for the check of what was written before
  part.removeAttribute("aria-busy");
  if (!form.elements.text.value.trim()) return say("The plan and its verdict come here.");
  part.setAttribute("aria-busy", "true");
  asked = new AbortController();
  try {
    const answer = await fetch("/submit/check", { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" }, signal: asked.signal });
    const told = await answer.json();
    if (mine !== number) return; // it was changed again meanwhile
    if (!answer.ok) return say(told.error);
    show(told.html);
    key.value = told.key ?? "";
    go.disabled = !told.key;
  } catch {
    if (mine === number) say("The dashboard does not answer: nothing was checked.");
  } finally {
    if (mine === number) part.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", () => {
  go.disabled = true;
  key.value = "";
  number++;
  clearTimeout(due);
  due = setTimeout(check, PAUSE_MS);
});
document.getElementById("recheck").addEventListener("click", (event) => {
  event.preventDefault();
  check();
});
if (form.elements.text.value.trim() && !key.value) check();
