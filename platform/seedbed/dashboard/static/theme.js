// Colours: as the system has them, unless somebody chose otherwise here. Runs before the page is drawn.
"use strict";
const THEMES = ["system", "light", "dark"];

function chosen() {
  try {
    return THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "system";
  } catch {
    return "system"; // a browser that keeps nothing for this page
  }
}

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  if (button) {
    const words = { system: "as the system", light: "light", dark: "dark" };
    button.setAttribute("aria-label", `Colours: ${words[theme]}`);
    button.title = button.getAttribute("aria-label");
  }
  document.dispatchEvent(new Event("theme"));
}

apply(chosen());
document.addEventListener("DOMContentLoaded", () => {
  apply(chosen());
  document.getElementById("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      // for this page only
    }
    apply(next);
  });
});
