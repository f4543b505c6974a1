// A log, followed. Lines are text and nothing else.
import { banner } from "./banner.js";
import { follow } from "./stream.js";

const MAX_LINES = 5000;
const log = document.getElementById("log");
const following = document.getElementById("follow");

function toEnd() {
  if (following.checked) log.scrollTop = log.scrollHeight;
}

if (log) {
  const showsSource = !new URL(log.dataset.log, location).searchParams.get("source");
  toEnd();
  log.addEventListener("wheel", (event) => event.deltaY < 0 && (following.checked = false), { passive: true });
  follow(log.dataset.log, {
    lines: ({ lines, is_all }) => {
      if (is_all) log.replaceChildren(); // too much came while nobody listened, or the server was started anew
      if (lines.length) document.getElementById("log-empty")?.remove();
      for (const [source, text] of lines) {
        const line = document.createElement("div");
        if (showsSource) {
          const from = document.createElement("span");
          from.className = "from";
          from.textContent = source;
          line.append(from);
        }
        line.append(text);
        log.append(line);
      }
      while (log.children.length > MAX_LINES) log.firstElementChild.remove();
      toEnd();
    },
    fault: ({ message }) => banner("fault", log, message && `The log cannot be followed: ${message}`),
  });
}
