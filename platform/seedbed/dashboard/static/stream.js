// A stream of server-sent events that says honestly whether it is up. The server says something every 10 s, so one that
// is silent for SILENT_MS is gone, whatever the browser believes.
const SILENT_MS = 25000;
const state = { heardAt: null, lost: false };

function show() {
  const mark = document.getElementById("connection");
  const banner = document.getElementById("lost");
  if (!mark) return;
  mark.dataset.state = state.lost ? "lost" : "live";
  mark.textContent = state.lost ? "connection lost" : "live";
  document.body.classList.toggle("is-lost", state.lost);
  banner.hidden = !state.lost;
  if (state.lost) {
    const at = state.heardAt ? new Date(state.heardAt).toLocaleTimeString() : "when it was loaded";
    banner.textContent = `The connection to the dashboard is lost. What you see is from ${at}; nothing here is known to be true now.`;
  }
}

export function follow(url, handlers) {
  let source, quiet, seen;
  const heard = () => {
    state.heardAt = Date.now();
    if (state.lost || document.getElementById("connection")?.dataset.state !== "live") {
      state.lost = false;
      show();
    }
    clearTimeout(quiet);
    quiet = setTimeout(() => lose(true), SILENT_MS);
  };
  const lose = (again) => {
    state.lost = true;
    show();
    if (again) open(); // half open: the browser has not noticed
  };
  const open = () => {
    source?.close();
    const place = new URL(url, location);
    if (seen) place.searchParams.set("seen", seen); // a new EventSource tells the server nothing of the one before
    source = new EventSource(place);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        heard();
        seen = event.lastEventId || seen;
        handle(JSON.parse(event.data));
      });
    }
    for (const name of ["hello", "ping"]) source.addEventListener(name, heard);
    source.onerror = () => {
      lose(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(whoAmI, 3000);
    };
    clearTimeout(quiet);
    quiet = setTimeout(() => lose(true), SILENT_MS);
  };
  const whoAmI = async () => {
    // A refused stream is not tried again by the browser: the session may be over, or the server is starting.
    try {
      const answer = await fetch(location.href, { redirect: "manual", headers: { accept: "text/html" } });
      if (answer.type === "opaqueredirect") return location.reload();
    } catch {
      // still away
    }
    open();
  };
  open();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}
