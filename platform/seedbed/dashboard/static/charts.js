// Training curves. The server has thinned them: a point may stand for several steps, with their mean, lowest and highest.
import { banner } from "./banner.js";
import uPlot from "./vendor/uPlot.esm.js";

const EVERY_MS = 5000;
const RETRY_MS = 5000;
const CHARTS = [
  { title: "Loss, nats per token", lines: [["loss", "training"], ["validation_loss", "validation"]], predicted: true, tall: true },
  { title: "Learning rate", lines: [["learning_rate", "learning rate"]] },
  { title: "Gradient norm, before clipping", lines: [["gradient_norm", "norm"]] },
  { title: "Tokens per second", lines: [["tokens_per_second", "tokens/s"]] },
];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (value) => (value == null ? "–" : Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4))));

let root = null;
let runs = [];
let plots = [];
let version = null;

function table(documents, names) {
  // uPlot wants one list of steps for all lines of a chart.
  const parts = documents.map((found) => {
    const lines = names.map(([key]) => found.lines[key]?.mean ?? found.steps.map(() => null));
    return [found.steps, ...lines];
  });
  return parts.length === 1 ? parts[0] : uPlot.join(parts);
}

function marks(found, predicted) {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = style("--muted");
        ctx.fillStyle = style("--muted");
        ctx.font = `${11 * devicePixelRatio}px system-ui`;
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const mark of found.marks) {
          if (!["taken_up", "restart", "hang"].includes(mark.event) || !mark.step) continue;
          const x = plot.valToPos(mark.step, "x", true);
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          ctx.fillText(mark.event === "taken_up" ? `attempt ${mark.attempt}` : mark.event, x + 4, bbox.top + 12 * devicePixelRatio);
        }
        const level = found.predicted_loss?.value;
        if (predicted && level != null) {
          const y = plot.valToPos(level, "y", true);
          ctx.strokeStyle = style("--c4");
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.fillStyle = style("--c4");
          ctx.fillText(`predicted ${number(level)}`, bbox.left + 6, y - 5 * devicePixelRatio);
        }
        ctx.restore();
      },
    },
  };
}

function range(found, names, predicted) {
  // With the low and the high of each point in view, so that no spike is cut off.
  return (_, low, high) => {
    const values = [low, high];
    if (predicted && found.predicted_loss?.value != null) values.push(found.predicted_loss.value);
    const known = values.filter(Number.isFinite);
    if (!known.length) return [0, 1];
    const [a, b] = [Math.min(...known), Math.max(...known)];
    const pad = (b - a || Math.abs(a) || 1) * 0.06;
    return [a - pad, b + pad];
  };
}

function draw(documents) {
  for (const { plot, gone } of plots) {
    gone.disconnect();
    plot.destroy();
  }
  plots = [];
  root.replaceChildren();
  const charts = CHARTS.filter(({ lines }) => documents.some((found) => lines.some(([key]) => found.lines[key])));
  if (!charts.length) {
    const empty = document.createElement("p");
    empty.className = "empty";
    empty.textContent = "No training step was taken yet.";
    root.append(empty);
    return;
  }
  const colours = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
  for (const { title, lines, predicted, tall } of charts) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    const box = document.createElement("div");
    box.className = tall ? "chart tall" : "chart";
    box.setAttribute("role", "img");
    figure.append(caption, box);
    if (tall) figure.className = "wide";
    root.append(figure);
    const single = documents.length === 1;
    const data = table(documents, lines);
    const series = [{ label: "step" }];
    const bands = [];
    let at = 0;
    documents.forEach((found, i) => {
      lines.forEach(([key, label], j) => {
        const colour = style(colours[(single ? j : i) % colours.length]);
        const thin = key === "validation_loss";
        series.push({
          label: single ? label : `${runs[i].name}${lines.length > 1 ? ` ${label}` : ""}`,
          stroke: colour,
          width: 1.5,
          dash: thin && !single ? [5, 4] : undefined,
          spanGaps: true,
          points: { show: thin, size: 5, fill: colour },
          value: (_, value) => number(value),
        });
        at += 1;
      });
    });
    if (single) {
      const found = documents[0];
      const line = found.lines[lines[0][0]];
      if (line?.low) {
        data.push(line.low, line.high);
        const faint = style("--c1-faint");
        for (const name of ["lowest", "highest"]) series.push({ label: name, stroke: faint, width: 0.5, spanGaps: true, value: (_, v) => number(v) });
        bands.push({ series: [at + 2, at + 1], fill: faint });
      }
    }
    const last = documents.map((found, i) => `${runs[i].name} ${number(found.lines[lines[0][0]]?.mean.findLast((v) => v != null))}`);
    box.setAttribute("aria-label", `${title}: line chart over the steps; the last value is ${last.join(", ")}`);
    const axis = { stroke: style("--muted"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line") }, font: "11px system-ui" };
    const found = documents[0];
    const plot = new uPlot(
      {
        width: Math.max(box.clientWidth, 200),
        height: tall ? 280 : 170,
        scales: { x: { time: false }, y: { range: range(found, lines, predicted && single) } },
        series,
        bands,
        axes: [{ ...axis, values: (_, ticks) => ticks.map((v) => v.toLocaleString()) }, { ...axis, size: 62, values: (_, ticks) => ticks.map(number) }],
        cursor: { sync: { key: "steps" } },
        legend: { live: true },
        plugins: single ? [marks(found, predicted)] : [],
      },
      data,
      box,
    );
    const gone = new ResizeObserver(() => plot.setSize({ width: Math.max(box.clientWidth, 200), height: plot.height }));
    gone.observe(box);
    plots.push({ plot, gone });
  }
}

let kept = null;
let retry;

async function load() {
  try {
    const answers = await Promise.all(runs.map(({ url }) => fetch(url)));
    const bad = answers.find((answer) => !answer.ok);
    if (bad) throw new Error((await bad.json()).error);
    const documents = await Promise.all(answers.map((answer) => answer.json()));
    const now = documents.map((found) => found.version).join();
    clearTimeout(retry);
    const damaged = documents.reduce((sum, found) => sum + found.damaged, 0);
    const lines = damaged === 1 ? "1 line of the metrics is damaged and" : `${damaged} lines of the metrics are damaged and`;
    banner("curves-fault", root, damaged ? `${lines} left out of these curves` : "");
    if (now === version) return;
    version = now;
    kept = documents;
    draw(documents);
  } catch (error) {
    const why = error instanceof TypeError ? "the dashboard does not answer" : error.message; // fetch's own is a TypeError
    const what = kept ? "These curves are old, and newer ones cannot be read" : "The curves cannot be read";
    banner("curves-fault", root, `${what}: ${why}`);
    if (!kept) root.replaceChildren();
    clearTimeout(retry);
    retry = setTimeout(load, RETRY_MS);
  }
}

function begin() {
  root = document.getElementById("charts");
  if (!root) return; // the page waits for its store, and gets the place for the curves with its first part
  runs = JSON.parse(root.dataset.runs ?? JSON.stringify([{ url: root.dataset.curves, name: root.dataset.run }]));
  load();
}

begin();
document.addEventListener("theme", () => kept && draw(kept));
let due = Date.now() + EVERY_MS;
document.addEventListener("fresh", () => {
  if (!root) return begin();
  if (Date.now() < due) return;
  due = Date.now() + EVERY_MS;
  load();
});
