// live.js: what a walk can do where Swift runs behind it. It stands among the walk's own scripts, whose functions it
// changes: numbers can be changed, backward can be broken, and each gradient is checked against finite differences.

const live = { broken: "", secret: null, guesses: 0, target: null, isChecking: false, shown: [] };
const code = (kind) => kind.charCodeAt(0);
const rounded = (x) => Number(x.toPrecision(6));

// MARK: Numbers from Swift

function fetched(kind, a, b = 0) {
  const all = swift.numbers("walkNumbers", code(kind), a, b);
  if (!all.length) return null;
  const [mean, deviation] = all.slice(-2);
  return Object.assign(all.slice(0, -2).map(rounded), { mean, deviation });
}

// The numbers that depend on the mistake.
function fetchGradients() {
  walk.nodes.forEach((node, k) => {
    node.gradient = fetched("g", k);
    if (node.arriving) node.arriving = node.arriving.map(([reader]) => [reader, fetched("c", k, reader)]);
  });
  walk.parameters.forEach((parameter, n) => {
    Object.assign(parameter, { gradient: fetched("q", n), velocity: fetched("s", n), next: fetched("n", n) });
  });
}

function fetchAll() {
  const unknown = (shape) => new Array(shape.reduce((a, b) => a * b, 1)).fill(NaN);
  walk.nodes.forEach((node, k) => Object.assign(node, { value: fetched("v", k), difference: unknown(node.shape) }));
  walk.parameters.forEach((parameter, n) =>
    Object.assign(parameter, { value: fetched("p", n), difference: unknown(parameter.shape) }));
  walk.nodes.forEach(({ name }, k) => {
    if (walk.plain?.nodes[name]) walk.plain.nodes[name] = [fetched("b", k), fetched("h", k)];
  });
  walk.parameters.forEach(({ name }, n) => {
    if (walk.plain && name in walk.plain.parameters) walk.plain.parameters[name] = fetched("k", n);
  });
  fetchGradients();
}

// Switches the mistake on that is chosen, and fills in what it does.
function breakBackward(name) {
  live.broken = name;
  const number = walk.mistakes.findIndex((one) => one.name === name);
  swift.call("walkBreak", number);
  fetchGradients();
  if (number < 0) return;
  const names = [...walk.nodes, ...walk.parameters].map((one) => one.name);
  const errors = swift.numbers("walkErrors"), own = swift.numbers("walkOwn");
  const chosen = walk.mistakes[number];
  chosen.errors = {};
  chosen.wrong = {};
  names.forEach((name, i) => {
    if (errors[i] > 0) chosen.errors[name] = rounded(errors[i]);
    if (own[i]) chosen.wrong[name] = (walk.nodes[i] || walk.parameters[i - walk.nodes.length]).gradient;
  });
}

// After a number was changed.
function refresh() {
  Object.assign(walk, JSON.parse(swift.text("walkData")));
  unpacked(walk);
  fetchAll();
  if (live.broken) breakBackward(live.broken);
  now.answers.clear();
  aboutWalk();
  draw();
}

function aboutWalk() {
  document.getElementById("about").textContent = `${walk.network}, ${walk.picture}, loss ${full(walk.loss)}. Swift computes every `
    + "number here, again after every change. A number under the pointer shows what it was made of; choose one to change it.";
}

// MARK: The gradient check

// The finite differences that belong to a gradient, or to one with a mistake: their id; of other tensors null.
function differencesOf(id) {
  const [kind, a] = id.split(":");
  if (kind === "m") return differencesOf(numberOf(a));
  const other = { g: "d", q: "e", d: "d", e: "e" }[kind];
  return other ? `${other}:${a}` : null;
}

const tensorsToCheck = () => [...walk.nodes.map((_, k) => "d:" + k).reverse(), ...walk.parameters.map((_, n) => "e:" + n)];
const partOf = (id) => (id[0] === "d" ? walk.nodes : walk.parameters)[id.slice(2)];
const isChecked = (id) => !partOf(id).difference.some(Number.isNaN);

// Whether number i of a gradient is not the finite difference; undefined where that is not known yet.
function isOff(part, i) {
  const difference = part.difference[i];
  if (Number.isNaN(difference)) return undefined;
  const largest = part.gradient.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  return Math.abs(part.gradient[i] - difference) > 1e-8 + 1e-4 * Math.max(largest, Math.abs(difference));
}

// The tensors whose differences are wanted now: those that are shown, then, on request, all others.
function wanted() {
  const shown = [...document.querySelectorAll("#tensors .tensor[data-tensor]")].map((view) => view.dataset.tensor)
    .filter((id) => differencesOf(id) && !isPending(id)).map(differencesOf);
  return [...shown, ...(live.isChecking ? tensorsToCheck() : [])].find((id) => !isChecked(id));
}

// Computes some of the differences, from one on.
function compareFrom(id, from, count) {
  swift.numbers("walkDifferences", code(id[0]), Number(id.slice(2)), from, count)
    .forEach((x, i) => { partOf(id).difference[from + i] = rounded(x); });
}

function check() {
  const end = performance.now() + 12;
  const touched = new Set();
  while (performance.now() < end) {
    const id = document.getElementById("walk").hidden ? undefined : wanted();
    if (!id) break;
    const { difference } = partOf(id), from = difference.findIndex(Number.isNaN);
    compareFrom(id, from, Math.min(8, difference.length - from));
    touched.add(id);
  }
  for (const id of touched) {
    const name = partOf(id).name, gradient = (id[0] === "d" ? "g" : "q") + id.slice(1);
    for (const one of [gradient, id, "m:" + name]) {
      const box = document.querySelector(`.tensor[data-tensor="${one}"] .grids`);
      if (box) markCells(box, one);
    }
  }
  if (touched.size) drawCheck();
  setTimeout(check, touched.size ? 0 : 150);
}

// Marks the numbers of a gradient that the check has found wrong, and those that it has not looked at.
function markCells(box, id) {
  const differences = differencesOf(id);
  if (!differences || box.querySelector("td.hidden")) return;
  const isDifference = id === differences, part = partOf(differences);
  for (const cell of box.querySelectorAll("td[data-i]")) {
    const i = Number(cell.dataset.i);
    if (isDifference) {
      const x = part.difference[i];
      cell.textContent = Number.isNaN(x) ? "…" : short(x);
      cell.className = x > 0 ? "positive" : x < 0 ? "negative" : "zero";
      continue;
    }
    const off = isOff(part, i);
    cell.classList.toggle("off", off === true);
    cell.classList.toggle("fine", off === false);
    if (off) cell.setAttribute("aria-label", `${cell.textContent}, wrong: the finite difference is ${short(part.difference[i])}`);
    else cell.removeAttribute("aria-label");
  }
}

function drawCheck() {
  const body = document.getElementById("checked");
  let [elements, wrong, all] = [0, 0, 0];
  const rows = [];
  for (const id of tensorsToCheck()) {
    const part = partOf(id), results = part.difference.map((_, i) => isOff(part, i));
    const known = results.filter((one) => one !== undefined).length, off = results.filter(Boolean).length;
    elements += known;
    wrong += off;
    all += results.length;
    if (!known) continue;
    const bar = element("span", { class: "strip", role: "img", "aria-label": `${off} of ${known} wrong` });
    const share = (n) => `${100 * n / results.length}%`;
    const piece = (kind, n) => {
      const one = element("i", { class: kind });
      one.style.width = share(n);
      return one;
    };
    bar.append(piece("off", off), piece("fine", known - off));
    rows.push(element("tr", {}, element("td", {}, "d " + part.name), element("td", { class: "bar" }, bar),
      element("td", {}, off ? `${off} of ${known} wrong` : `${known} right`)));
  }
  body.replaceChildren(...rows);
  document.getElementById("checkWords").textContent = `${elements} of ${all} elements compared with finite differences: `
    + (wrong ? `${wrong} are wrong.` : "none is wrong.");
}

// MARK: Changing a number

// A number can be changed if it is given: a pixel, a parameter, or the gradient that arrives at a layer.
const canChange = (id) => id === "v:0" || /^[pg]:/.test(id);

function aim(id, i) {
  if (!canChange(id)) return;
  live.target = { id, i };
  document.getElementById("change").hidden = false;
  const { name, shape, numbers } = tensor(id);
  document.getElementById("changeName").textContent = `${name}[${position(shape, i).join(", ")}]`;
  const [value, slider] = [document.getElementById("changeValue"), document.getElementById("changeSlider")];
  const reach = 2 * Math.max(...numbers.map(Math.abs), 0.01);
  Object.assign(slider, { min: -reach, max: reach, step: reach / 100, value: numbers[i] });
  value.value = numbers[i];
}

function change(text) {
  const value = Number(String(text).replace("−", "-").replace(",", "."));
  if (!live.target || String(text).trim() === "" || !Number.isFinite(value)) return;
  const { id, i } = live.target;
  swift.call("walkChange", code(id), Number(id.slice(2)), i, value);
  document.getElementById("changeValue").value = value;
  document.getElementById("changeSlider").value = value;
  document.getElementById("undo").disabled = false;
  refresh();
}

function startAgain() {
  const data = JSON.parse(swift.text("walkBegin", Number(document.getElementById("walkSeed").value) || 1));
  Object.assign(walk, data);
  unpacked(walk);
  live.target = null;
  document.getElementById("change").hidden = true;
  document.getElementById("undo").disabled = true;
  fetchAll();
  if (live.broken) breakBackward(live.broken);
  now.answers.clear();
  aboutWalk();
  draw();
}

// MARK: Find the bug

function hideBug(number = Math.floor(Math.random() * walk.mistakes.length)) {
  live.secret = walk.mistakes[number];
  live.guesses = 0;
  now.mistake = "";
  document.getElementById("mistake").value = "";
  document.getElementById("hunt").textContent = "Give up";
  sayBug("One line of the backward pass is wrong now. Wrong gradients turn red as they are checked. Go to the layer that makes "
    + "them, and choose the line.");
  draw();
}

const sayBug = (words) => { document.getElementById("bug").textContent = words; };

function endHunt(words) {
  const { name } = live.secret;
  live.secret = null;
  now.mistake = name;
  document.getElementById("mistake").value = name;
  document.getElementById("hunt").textContent = "Find the bug";
  sayBug(words);
  draw();
}

function guess(key, line) {
  const { place, lines, mistake } = live.secret, { name, phase } = walk.stops[now.stop];
  const isHere = phase === "backward" && (name === place || name.startsWith(place + "."));
  const isLine = lines.some(([found, ...numbers]) => found === key && numbers.includes(line));
  live.guesses += 1;
  if (isHere && isLine) {
    return endHunt(`Found, after ${live.guesses === 1 ? "one guess" : live.guesses + " guesses"}: in ${place}, ${mistake}.`);
  }
  sayBug(isLine ? "The line is right, but another layer has the mistake." : isHere
    ? "The layer is right, but another line has the mistake." : "No: that line, in this layer, is right.");
}

// MARK: Changes of the walk's own functions

const [gridsBefore, drawBefore, drawCodeBefore, showMadeBefore] = [grids, draw, drawCode, showMade];

grids = (id, ...more) => {
  const box = gridsBefore(id, ...more);
  markCells(box, id);
  if (canChange(id)) box.classList.add("open");
  return box;
};

draw = () => {
  const name = live.secret ? live.secret.name : now.mistake;
  if (live.secret && now.mistake) live.secret = null;
  if (name !== live.broken) breakBackward(name);
  drawBefore();
  drawCheck();
};

drawCode = (stop) => {
  drawCodeBefore(stop);
  if (!live.secret) return;
  stop.code.forEach(([key], number) => {
    const pre = document.querySelectorAll("#code pre")[number];
    pre.removeAttribute("tabindex");
    [...pre.children].forEach((row, line) => {
      row.setAttribute("role", "button");
      row.setAttribute("tabindex", 0);
      row.classList.add("guess");
      row.addEventListener("click", () => guess(key, line));
      row.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        guess(key, line);
      });
    });
  });
};

showMade = (id, i) => {
  const differences = differencesOf(id);
  if (differences && Number.isNaN(partOf(differences).difference[i])) compareFrom(differences, i, 1);
  showMadeBefore(id, i);
};

function startLive() {
  // Both stay in view: what is changed is far down on a phone.
  document.getElementById("controls").append(document.getElementById("change"), document.getElementById("bug"));
  now.ask = false;
  document.getElementById("ask").checked = false;
  const on = (id, event, body) => document.getElementById(id).addEventListener(event, body);
  for (const name of ["click", "focusin"]) {
    on("tensors", name, (event) => {
      const cell = event.target.closest("td[data-i]");
      if (cell && !cell.classList.contains("hidden")) aim(...place(cell));
    });
  }
  on("tensors", "keydown", (event) => {
    if (event.key !== "Enter" || !event.target.closest("td[data-i]")) return;
    event.preventDefault();
    document.getElementById("changeValue").focus();
  });
  on("change", "submit", (event) => {
    event.preventDefault();
    change(document.getElementById("changeValue").value);
  });
  on("changeSlider", "input", (event) => change(event.target.value));
  on("undo", "click", startAgain);
  on("walkSeed", "change", startAgain);
  on("hunt", "click", () => (live.secret ? endHunt(`It was ${live.secret.name}, in ${live.secret.place}.`) : hideBug()));
  on("mistake", "change", () => {
    if (!live.secret) return;
    live.secret = null;
    document.getElementById("hunt").textContent = "Find the bug";
    sayBug("");
  });
  on("checkAll", "click", () => { live.isChecking = true; });
  aboutWalk();
  draw();
  check();
  // For the check of the page, which is a script too.
  globalThis.walkParts = { walk, now, live, swift, go, tensor, terms, termValue, hideBug, isOff, isChecked, partOf, tensorsToCheck };
}

fetchAll();
