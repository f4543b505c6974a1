// The live part of a page follows the server; times are said as ages that grow.
import { banner } from "./banner.js";
import { morph } from "./morph.js";
import { follow } from "./stream.js";

const skew = Number(document.querySelector("meta[name=server-time]").content) - Date.now() / 1000;

function age(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

function tell() {
  const now = Date.now() / 1000 + skew;
  for (const time of document.querySelectorAll("time[data-at]")) {
    const said = age(now - Number(time.dataset.at));
    if (time.textContent !== said) time.textContent = said;
  }
}

const url = document.body.dataset.live;
const part = document.getElementById("live");
if (url && part) {
  follow(url, {
    part: (html) => {
      const fresh = new DOMParser().parseFromString(html, "text/html");
      morph(part, fresh.body);
      tell();
      document.dispatchEvent(new Event("fresh"));
    },
    fault: ({ message }) => {
      document.body.classList.toggle("is-stale", Boolean(message)); // what was running then is not said to run now
      banner("fault", part, message && `This page cannot be brought up to date: ${message}`);
    },
  });
}
tell();
setInterval(tell, 1000);
