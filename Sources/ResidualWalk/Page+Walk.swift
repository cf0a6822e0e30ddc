// Page+Walk.swift: the page's script: going from stop to stop, answers, mistakes.

extension Page {
  /// State, controls and the mistakes of the museum.
  static let scriptWalk = #"""
    const now = { stop: 0, phase: "forward", ask: true, beside: false, mistake: "", parameter: 0, answers: new Map() };
    const mistake = () => walk.mistakes.find(({ name }) => name === now.mistake) || null;

    // Whether the results of a stop are shown: they are after its question.
    const isRevealed = (s) => !now.ask || !walk.stops[s].question || now.answers.has(s);

    function go(stop, takesFocus = false) {
      if (stop < 0 || stop >= walk.stops.length) return;
      now.stop = stop;
      now.phase = walk.stops[stop].phase;
      draw();
      history.replaceState(null, "", "#" + (stop + 1));
      if (takesFocus) document.getElementById("stop").focus({ preventScroll: true });
      document.getElementById("text").scrollIntoView({ block: "nearest" });
    }

    function reveal(answer) {
      now.answers.set(now.stop, answer);
      draw();
      document.getElementById("stop").focus({ preventScroll: true });
    }

    function draw() {
      const stop = walk.stops[now.stop];
      clearMade();
      const slider = document.getElementById("slider");
      slider.value = now.stop;
      slider.setAttribute("aria-valuetext", `${now.stop + 1} of ${walk.stops.length}: ${stop.name}, ${stop.phase}`);
      document.getElementById("where").textContent = `${now.stop + 1} of ${walk.stops.length}`;
      document.getElementById("previous").disabled = now.stop === 0;
      document.getElementById("next").disabled = now.stop === walk.stops.length - 1;
      drawText(stop);
      drawTensors(stop);
      drawCode(stop);
      drawMap();
    }

    // MARK: Mistakes

    // What a number's note says about its error against the finite difference.
    function errorNote(id) {
      const [kind, a] = id.split(":");
      if (!["g", "q"].includes(kind) || !mistake()) return "";
      const name = (kind === "g" ? walk.nodes : walk.parameters)[a].name;
      const error = mistake().errors[name];
      return error === undefined ? "(the mistake does not reach it)" : `(with the mistake off by ${percent(error)})`;
    }

    const percent = (error) => `${full(Number((100 * error).toPrecision(2)))} % of its largest element`;

    // The stop at which a mistake is.
    function stopOfMistake({ place }) {
      const addition = walk.stops.findIndex((stop) => stop.addition && stop.name === place + ".input");
      if (addition >= 0) return addition;
      return walk.stops.findIndex((stop) => stop.phase === "backward" && stop.name === place);
    }

    function drawMistake(stop, box) {
      const wrong = mistake();
      if (!wrong) return;
      const panel = element("div", { class: "museum" }, element("p", {}, element("b", {}, wrong.name), ": ",
        wrong.mistake, ". ", element("br"), `What one notices: ${wrong.symptom}.`));
      const link = /\[(.*)\]\((.*)\)/.exec(wrong.seen);
      if (link) panel.append(element("p", {}, "Where it happened: ", element("a", { href: link[2] }, link[1])));
      const at = stopOfMistake(wrong);
      if (at !== now.stop) {
        const button = element("button", { type: "button" }, `Go to ${wrong.place}, stop ${at + 1}`);
        button.addEventListener("click", () => go(at, true));
        panel.append(element("p", {}, "It is in the backward of one layer. ", button));
        box.prepend(panel);
        return;
      }
      panel.append(element("p", {}, "Its gradient beside the finite difference, which knows nothing of the code:"));
      for (const name of Object.keys(wrong.wrong)) {
        if (wrong.errors[name] === undefined) continue;
        const right = numberOf(name).replace("g:", "d:").replace("q:", "e:");
        panel.append(tensorView("m:" + name, { note: `(off by ${percent(wrong.errors[name])})` }), tensorView(right));
      }
      panel.append(errorTable(wrong));
      box.append(panel);
    }

    // How far each gradient in front of the mistake is off.
    function errorTable(wrong) {
      const table = element("table", { class: "errors" });
      const names = [...walk.nodes, ...walk.parameters].map(({ name }) => name).filter((name) => wrong.errors[name]);
      for (const name of names.reverse()) {
        const bar = element("span", {});
        bar.style.width = `${Math.min(100, 50 * wrong.errors[name])}%`;
        table.append(element("tr", {}, element("td", {}, "d " + name), element("td", { class: "bar" }, bar),
          element("td", {}, `${full(Number((100 * wrong.errors[name]).toPrecision(2)))} %`)));
      }
      return element("div", {}, element("p", {}, "Everything in front of it is off too, relative to the largest element "
        + "of the right gradient:"), table);
    }

    function fillMistakes() {
      const select = document.getElementById("mistake");
      select.append(element("option", { value: "" }, "none"));
      for (const { name } of walk.mistakes) select.append(element("option", { value: name }, name));
      if (!walk.hidden.length) return;
      const group = element("optgroup", { label: "not to be seen in this walk" });
      for (const { name, reason } of walk.hidden) {
        group.append(element("option", { value: "", disabled: "" }, `${name}: ${reason}`));
      }
      select.append(group);
    }

    // MARK: Controls

    function start() {
      document.getElementById("about").textContent = `${walk.network}, ${walk.picture}, loss ${full(walk.loss)}. `
        + "Every number was computed by the Swift code that is shown beside it; arrow keys go from stop to stop, and a "
        + "number under the pointer shows what it was made of.";
      const slider = document.getElementById("slider");
      slider.max = walk.stops.length - 1;
      slider.addEventListener("input", () => go(Number(slider.value)));
      document.getElementById("previous").addEventListener("click", () => go(now.stop - 1));
      document.getElementById("next").addEventListener("click", () => go(now.stop + 1));
      const box = (id, key) => document.getElementById(id).addEventListener("change", (event) => {
        now[key] = event.target.type === "checkbox" ? event.target.checked : event.target.value;
        draw();
      });
      box("ask", "ask");
      box("beside", "beside");
      box("mistake", "mistake");
      if (!walk.plain) document.getElementById("besideLabel").remove();
      fillMistakes();

      const tensors = document.getElementById("tensors");
      for (const name of ["pointerover", "focusin", "click"]) {
        tensors.addEventListener(name, (event) => {
          const cell = event.target.closest("td[data-i]");
          if (cell) showMade(...place(cell));
        });
      }
      document.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || tensors.closest("[hidden]")) return;
        const cell = event.target.closest?.("td[data-i]");
        if (cell && event.key.startsWith("Arrow")) {
          event.preventDefault();
          moveInGrid(cell, event.key);
        } else if (event.key === "Escape") {
          clearMade();
          document.getElementById("stop").focus({ preventScroll: true });
        } else if (!event.target.closest?.("input, select, pre") && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
          event.preventDefault();
          go(now.stop + (event.key === "ArrowRight" ? 1 : -1));
        }
      });
      document.getElementById("map").addEventListener("click", (event) => {
        const addition = event.target.closest("[data-addition]");
        if (addition) go(Number(addition.dataset.addition), true);
      });
      addEventListener("resize", drawMap);
      go(Math.min(Math.max(Number(location.hash.slice(1)) || 1, 1), walk.stops.length) - 1);
    }

    start();
    """#
}
