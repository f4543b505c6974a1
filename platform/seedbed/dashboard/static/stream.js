// A stream of server-sent events that says honestly whether it is up. The server says something every 10 s, so one that
// is silent for SILENT_MS is gone, whatever the browser believes. A tab that nobody sees holds no stream: browsers allow
// six connections to a host (HTTP/1.1), and the seventh tab would wait for ever. It catches up when it is shown again.
const SILENT_MS = 25000;
const AGAIN_MS = 3000;
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
  let source, quiet, again, seen;
  const heard = () => {
    state.heardAt = Date.now();
    if (state.lost || document.getElementById("connection")?.dataset.state !== "live") {
      state.lost = false;
      show();
    }
    clearTimeout(quiet);
    quiet = setTimeout(() => lose(true), SILENT_MS);
  };
  const lose = (isHalfOpen) => {
    state.lost = true;
    show();
    if (isHalfOpen) open(); // the browser has not noticed
  };
  const open = () => {
    close();
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
      if (source.readyState === EventSource.CLOSED) again = setTimeout(whoAmI, AGAIN_MS);
    };
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
    if (document.visibilityState !== "hidden") open();
  };
  const close = () => {
    source?.close();
    clearTimeout(quiet);
    clearTimeout(again);
  };
  const seenOrNot = () => (document.visibilityState === "hidden" ? close() : open());
  seenOrNot();
  document.addEventListener("visibilitychange", seenOrNot);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && seenOrNot());
}
