// training.js: the page's training runs: settings, curves, predictions, the drawing, and what is kept.

const training = { runs: new Map(), pictures: [], classes: [], drawing: null };
const networks = ["resnet", "plain"];
const byId = (id) => document.getElementById(id);
// As the walk's scripts have it.
const made = (name, attributes = {}, ...children) => {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
};
const shownImages = 12;

// MARK: Runs

function settingsOfForm() {
  const number = (id) => Number(byId(id).value);
  return { depth: number("depth"), images: number("images"), batch: number("batch"), iterations: number("iterations"),
    rate: number("rate"), seed: number("seed"), test: 200, shown: shownImages, every: 25 };
}

function begin(settings, kept = {}) {
  for (const run of training.runs.values()) run.worker.terminate();
  training.runs.clear();
  training.settings = settings;
  for (const name of networks) {
    const old = kept[name] || {};
    const run = {
      name: name + settings.depth, worker: new Worker(training.workerAddress), iteration: old.iteration || 0, times: [],
      losses: old.losses || [], errors: old.errors || [], responses: [], probabilities: [], digits: "", isRunning: false,
      isReady: false, memory: 0, note: "",
    };
    training.runs.set(name, run);
    run.worker.onmessage = ({ data }) => receive(name, run, data);
    run.worker.onerror = (event) => {
      event.preventDefault();
      run.isRunning = false;
      run.note = `The program stopped: ${event.message}`;
      drawTraining();
    };
    run.worker.postMessage({ kind: "begin", module: training.module, settings: {
      ...settings, isPlain: name === "plain", state: old.state, iteration: old.iteration } });
    if (training.drawing) run.worker.postMessage({ kind: "draw", pixels: training.drawing });
  }
  drawTraining();
}

function receive(name, run, data) {
  switch (data.kind) {
    case "ready":
      run.isReady = true;
      training.pictures = data.pictures;
      training.classes = data.classes;
      break;
    case "step":
      run.iteration = data.iteration;
      run.losses.push(data.loss);
      run.times.push(data.time);
      if (run.times.length > 50) run.times.shift();
      if (run.iteration >= training.settings.iterations) run.isRunning = false;
      break;
    case "measured":
      // Where a run is begun, goes on or stops, its place in the curve may be there already.
      run.errors = run.errors.filter(([iteration]) => iteration < data.iteration);
      run.errors.push([data.iteration, data.error]);
      run.responses = data.responses;
      run.memory = data.memory;
      if (data.iteration > 0) {
        keep(name, { settings: training.settings, iteration: data.iteration, state: data.state,
          losses: run.losses.slice(0, data.iteration), errors: run.errors });
        run.kept = data.iteration;
      }
      break;
    case "classified": run.probabilities = data.probabilities; break;
    case "checksum": Object.assign(run, { digits: data.digits, digitsAt: data.iteration }); break;
    case "diverged": Object.assign(run, { isRunning: false, note: `The loss is no number at step ${data.iteration}.` }); break;
    case "checkpoint": saveFile(`${run.name}-${run.iteration}.safetensors`, data.bytes); break;
  }
  drawTraining();
}

const isTraining = () => [...training.runs.values()].some((run) => run.isRunning);
const isFinished = () => [...training.runs.values()].every((run) => run.iteration >= training.settings.iterations);

function goOrStop() {
  const stops = isTraining();
  for (const run of training.runs.values()) {
    if (!stops && run.iteration >= training.settings.iterations) continue;
    run.isRunning = !stops;
    if (!stops) run.digits = "";
    run.worker.postMessage({ kind: stops ? "stop" : "go" });
  }
  drawTraining();
}

async function startOver() {
  await forget();
  begin(settingsOfForm());
}

function saveFile(name, bytes) {
  const link = made("a", { download: name, href: URL.createObjectURL(new Blob([bytes])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// MARK: What is kept

// The browser's store. Where it has none, in a private window perhaps, nothing is kept, and the page says so.
const store = (mode, body) => new Promise((resolve) => {
  try {
    const opening = indexedDB.open("residual-learning", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("runs");
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("runs", mode);
      const request = body(transaction.objectStore("runs"));
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(request.result);
      };
      transaction.onabort = () => resolve(undefined);
    };
  } catch {
    resolve(undefined);
  }
});
const keep = (name, run) => store("readwrite", (runs) => runs.put(run, name));
const keptRun = (name) => store("readonly", (runs) => runs.get(name));
const forget = () => store("readwrite", (runs) => runs.clear());

async function startTraining(module) {
  training.module = module;
  const source = `"use strict"; ${openProgram}; (${trainingWorker})();`;
  training.workerAddress = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const kept = {};
  for (const name of networks) kept[name] = await keptRun(name);
  const settings = (kept.resnet || kept.plain)?.settings;
  if (settings) {
    for (const key of ["depth", "images", "batch", "iterations", "rate", "seed"]) byId(key).value = settings[key];
    for (const name of networks) if (JSON.stringify(kept[name]?.settings) !== JSON.stringify(settings)) delete kept[name];
  }
  byId("go").addEventListener("click", goOrStop);
  byId("over").addEventListener("click", startOver);
  byId("settings").addEventListener("submit", (event) => event.preventDefault());
  byId("settings").addEventListener("change", () => byId("settings").checkValidity() && startOver());
  for (const name of networks) {
    byId("save-" + name).addEventListener("click", () => training.runs.get(name).worker.postMessage({ kind: "checkpoint" }));
  }
  startDrawing();
  begin(settings || settingsOfForm(), kept);
}

// MARK: What is shown

function timeLeft() {
  const times = [...training.runs.values()].filter((run) => run.isRunning && run.times.length).map((run) =>
    (training.settings.iterations - run.iteration) * run.times.reduce((a, b) => a + b, 0) / run.times.length);
  if (!times.length) return "";
  const seconds = Math.ceil(Math.max(...times) / 1000);
  return seconds < 90 ? `${seconds} s left` : `${Math.ceil(seconds / 60)} min left`;
}

let isDrawingDue = false;
function drawTraining() {
  if (isDrawingDue) return;
  isDrawingDue = true;
  setTimeout(() => {
    isDrawingDue = false;
    drawState();
    drawCurves();
    drawResponses();
    drawPredictions();
  }, 60);
}

function drawState() {
  const runs = [...training.runs.values()], isReady = runs.every((run) => run.isReady);
  byId("go").textContent = isTraining() ? "Stop" : runs.some((run) => run.iteration > 0) ? "Go on" : "Train";
  byId("go").disabled = !isReady || (!isTraining() && isFinished());
  byId("status").textContent = !isReady ? "The images are drawn …" : isFinished() ? "Done."
    : isTraining() ? timeLeft() : runs.some((run) => run.iteration > 0) ? "Stopped." : "Ready.";
  for (const [name, run] of training.runs) {
    const { iterations } = training.settings;
    const loss = mean(run.losses.slice(-20)), error = run.errors.at(-1)?.[1];
    const time = run.times.length ? median(run.times) : null;
    byId("name-" + name).textContent = run.name;
    byId("progress-" + name).max = iterations;
    byId("progress-" + name).value = run.iteration;
    byId("words-" + name).textContent = run.note || [
      `step ${run.iteration} of ${iterations}`, run.losses.length ? `loss ${loss.toFixed(3)}` : "",
      error === undefined ? "" : `${(100 * (1 - error)).toFixed(1)} % of held-out images right`,
      time ? `${time.toFixed(0)} ms a step` : "", run.kept ? `kept up to step ${run.kept}` : "",
    ].filter(Boolean).join(", ");
    byId("digits-" + name).textContent = run.digits || "after the last step, or where you stop";
    byId("save-" + name).disabled = !run.isReady || run.isRunning;
    const isLast = run.digits && run.digitsAt >= iterations;
    const { depth, images, batch, rate, seed } = training.settings;
    byId("command-" + name).textContent = `${isLast ? "" : "at the end: "}resnet train --network ${name}${depth} --limit `
      + `${images} --batch ${batch} --iterations ${iterations} --rate ${rate} --seed ${seed}`;
  }
}

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / Math.max(numbers.length, 1);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

// The mean of the last steps at each of some places: a loss of one batch jumps.
function smoothed(losses, every) {
  const points = [];
  for (let i = 0; i < losses.length; i += every) {
    const part = losses.slice(Math.max(0, i - every), i + every);
    points.push([i + every / 2, mean(part)]);
  }
  return points;
}

function drawCurves() {
  const { iterations } = training.settings, every = Math.max(1, Math.round(iterations / 60));
  const losses = [...training.runs].map(([name, run]) => ({ name, label: run.name, points: smoothed(run.losses, every) }));
  const errors = [...training.runs].map(([name, run]) => ({ name, label: run.name,
    points: run.errors.map(([i, e]) => [i, 100 * e]) }));
  const largest = Math.max(2.5, ...losses.flatMap(({ points }) => points.map(([, y]) => y)));
  byId("losses").replaceChildren(chart("training loss", losses, [0, iterations], [0, Math.min(largest, 8)], "step"));
  byId("errors").replaceChildren(chart("held-out images wrong, in %", errors, [0, iterations], [0, 100], "step"));
}

function drawResponses() {
  const runs = [...training.runs].map(([name, run]) => ({ name, label: run.name,
    points: run.responses.map((y, i) => [i + 1, y]) }));
  const count = Math.max(2, ...runs.map(({ points }) => points.length));
  const largest = Math.max(1.2, ...runs.flatMap(({ points }) => points.map(([, y]) => y)));
  byId("responses").replaceChildren(chart("spread of the layers' outputs", runs, [1, count], [0, largest], "layer"));
}

const svg = (name, attributes, ...children) => {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
};

// Curves over a common axis, in words too.
function chart(title, curves, [left, right], [bottom, top], unit) {
  const [width, height, margin] = [440, 220, { left: 40, right: 10, top: 26, bottom: 30 }];
  const x = (v) => margin.left + (v - left) / (right - left) * (width - margin.left - margin.right);
  const y = (v) => height - margin.bottom - (Math.min(v, top) - bottom) / (top - bottom) * (height - margin.top - margin.bottom);
  const words = curves.map(({ label, points }) => points.length
    ? `${label}: ${points[0][1].toFixed(2)} at first, ${points.at(-1)[1].toFixed(2)} at last` : `${label}: nothing yet`);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${words.join("; ")}` });
  picture.append(svg("text", { x: margin.left, y: 15, class: "title" }, title));
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const v = bottom + part * (top - bottom), h = left + part * (right - left);
    picture.append(svg("line", { x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v), class: "rule" }));
    picture.append(svg("text", { x: margin.left - 5, y: y(v) + 4, "text-anchor": "end" }, top < 10 ? v.toFixed(1) : v.toFixed(0)));
    picture.append(svg("text", { x: x(h), y: height - 12, "text-anchor": part === 1 ? "end" : "middle" },
      h.toFixed(0) + (part === 1 ? " " + unit : "")));
  }
  curves.forEach(({ name, label, points }, i) => {
    if (points.length) {
      const d = points.map(([a, b], k) => `${k ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
      picture.append(svg("path", { d, class: "curve " + name }));
      if (points.length < 40) {
        for (const [a, b] of points) picture.append(svg("circle", { cx: x(a), cy: y(b), r: 2.5, class: "dot " + name }));
      }
    }
    const at = width - margin.right - 190 + 100 * i;
    picture.append(svg("path", { d: `M${at} 11 h18`, class: "curve " + name }), svg("text", { x: at + 23, y: 15 }, label));
  });
  return picture;
}

// MARK: Predictions

function drawPredictions() {
  const box = byId("pictures");
  if (!training.classes.length) return;
  if (box.children.length !== shownImages) {
    box.replaceChildren(...training.pictures.map((bytes) => {
      const canvas = made("canvas", { width: 32, height: 32, "aria-hidden": "true" });
      paint(canvas, bytes);
      return made("li", {}, canvas, made("p", {}));
    }));
  }
  training.pictures.forEach((bytes, i) => {
    const truth = bytes[3072], words = made("p", {}, made("b", {}, training.classes[truth]));
    for (const [name, run] of training.runs) {
      const [best, p] = bestClass(run, i);
      if (best === null) continue;
      words.append(made("span", { class: best === truth ? "right" : "wrong" },
        `${best === truth ? "✓" : "✗"} ${name === "plain" ? "plain" : "residual"}: ${training.classes[best]}, ${p} %`));
    }
    box.children[i].querySelector("p").replaceWith(words);
  });
  drawAnswers();
}

function bestClass(run, i) {
  const p = run.probabilities.slice(10 * i, 10 * i + 10);
  if (p.length < 10) return [null, 0];
  const best = p.indexOf(Math.max(...p));
  return [best, (100 * p[best]).toFixed(0)];
}

function drawAnswers() {
  const table = byId("answers");
  if (!training.drawing || !training.classes.length) return;
  const rows = training.classes.map((name, c) => made("tr", {}, made("th", { scope: "row" }, name),
    ...[...training.runs].map(([network, run]) => {
      const p = run.probabilities[10 * shownImages + c];
      if (p === undefined) return made("td", {}, "…");
      const bar = made("span", { class: "bar " + network });
      bar.style.width = `${Math.round(100 * p)}%`;
      return made("td", {}, bar, `${(100 * p).toFixed(0)} %`);
    })));
  const heads = [...training.runs.values()].map((run) => made("th", { scope: "col" }, run.name));
  table.replaceChildren(made("tr", {}, made("td", {}), ...heads), ...rows);
}

function paint(canvas, bytes) {
  const context = canvas.getContext("2d"), image = context.createImageData(32, 32);
  for (let i = 0; i < 1024; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// MARK: The drawing

// Figures of the data set are lighter than their ground: chalk on a board. The pointer draws, or the arrow keys with Space.
function startDrawing() {
  const canvas = byId("board"), pixels = new Uint8Array(3072);
  const cursor = { x: 16, y: 16, isDown: false };
  let isDue = false;
  const clear = () => {
    for (let i = 0; i < 1024; i++) pixels.set([40, 50, 60], 3 * i);
    paint(canvas, pixels);
    training.drawing = null;
    byId("answers").replaceChildren();
  };
  const dot = (x, y) => {
    for (let row = Math.max(0, Math.floor(y - 2)); row <= Math.min(31, y + 2); row++) {
      for (let column = Math.max(0, Math.floor(x - 2)); column <= Math.min(31, x + 2); column++) {
        const cover = Math.min(1, Math.max(0, 2 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
        [235, 225, 190].forEach((light, c) => {
          const i = 3 * (32 * row + column) + c;
          pixels[i] = Math.max(pixels[i], Math.round(pixels[i] * (1 - cover) + light * cover));
        });
      }
    }
  };
  const line = (from, to) => {
    const count = Math.max(1, Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)));
    for (let i = 0; i <= count; i++) {
      dot(from.x + (to.x - from.x) * i / count, from.y + (to.y - from.y) * i / count);
    }
    paint(canvas, pixels);
    training.drawing = pixels.slice();
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      for (const run of training.runs.values()) run.worker.postMessage({ kind: "draw", pixels: training.drawing });
    }, 120);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width * 32, y: (event.clientY - box.top) / box.height * 32 };
  };
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    if (event.key === " ") cursor.isDown = !cursor.isDown;
    const old = { ...cursor };
    cursor.x = Math.min(31, Math.max(0, cursor.x + move[0]));
    cursor.y = Math.min(31, Math.max(0, cursor.y + move[1]));
    if (cursor.isDown) line(old, cursor);
    byId("cursor").textContent = `Chalk ${cursor.isDown ? "down" : "up"}, column ${cursor.x}, row ${cursor.y}`;
  });
  byId("clear").addEventListener("click", clear);
  clear();
}
