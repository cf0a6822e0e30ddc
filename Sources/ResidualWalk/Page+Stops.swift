// Page+Stops.swift: the page's script: what a stop shows.

extension Page {
  /// The tensors, the words, the question and the code of a stop.
  static let scriptStops = #"""
    // The tensors that a stop reads and those that it computes.
    function tensorsOf(stop) {
      const k = stop.node;
      if (k === null) {
        const n = now.parameter;
        return { reads: ["p:" + n, "q:" + n], computes: ["s:" + n, "n:" + n] };
      }
      const node = walk.nodes[k], inputs = node.inputs, own = parametersOf(k);
      if (stop.addition) return { reads: node.arriving.map(([reader]) => `c:${k}:${reader}`), computes: ["g:" + k] };
      if (stop.phase === "forward") {
        const statistics = node.kind === "normalization" ? ["mu:" + k, "r:" + k] : [];
        return {
          reads: [...inputs.map((x) => "v:" + x), ...own.map((n) => "p:" + n)],
          computes: [...statistics, ...(node.kind === "loss" ? ["t:0"] : []), "v:" + k],
        };
      }
      const handed = inputs.map((x) => (walk.nodes[x].arriving ? `c:${x}:${k}` : "g:" + x));
      const needs = {
        convolution: ["p:" + own[0], "v:" + inputs[0]], linear: ["p:" + own[0], "v:" + inputs[0]],
        normalization: ["v:" + inputs[0], "p:" + own[0]], relu: ["v:" + k], maxPool: ["v:" + inputs[0], "v:" + k],
        loss: ["t:0"],
      }[node.kind] || [];
      return {
        reads: [...(node.kind === "loss" ? [] : ["g:" + k]), ...needs], computes: [...own.map((n) => "q:" + n), ...handed],
      };
    }

    // Weights go by their outputs forward and by their inputs backward, gradients of weights by their outputs.
    const axisOf = (id, stop) => (stop.phase === "backward" && id.startsWith("p:") ? 2 : 3);

    function drawTensors(stop) {
      const box = document.getElementById("tensors");
      const { reads, computes } = tensorsOf(stop), hidden = !isRevealed(now.stop);
      box.replaceChildren();
      if (stop.node === null) box.append(parameterChooser());
      const first = reads.length ? "It reads" : "";
      if (first) box.append(element("h3", {}, first));
      for (const id of reads) box.append(tensorView(id, { axis: axisOf(id, stop), note: roleNote(id, stop) }));
      box.append(element("h3", {}, stop.node === 0 && !stop.addition ? "The images" : "It computes"));
      for (const id of computes) {
        box.append(tensorView(id, { hidden, axis: axisOf(id, stop), note: hidden ? "" : errorNote(id) }));
        const twin = hidden ? null : besideOf(id);
        if (twin) {
          const view = tensorView(twin, { axis: axisOf(id, stop) });
          view.classList.add("beside");
          box.append(view);
        }
      }
      if (stop.phase === "forward" && stop.node !== null) {
        const gradient = element("p", { class: "tensor" }, element("span", { class: "name backward" },
          "d " + walk.nodes[stop.node].name), "  not computed yet: gradients come after the loss");
        box.append(gradient);
      }
      if (!hidden) drawMistake(stop, box);
    }

    function roleNote(id, stop) {
      if (id.startsWith("g:") && stop.phase === "backward") return "(dy, arrives from behind)";
      if (id.startsWith("c:")) return id.endsWith(":" + walk.blocks[currentBlock()].shortcut[0])
        ? "(arrives through the shortcut)" : "(arrives through the branch)";
      return "";
    }

    // The same tensor of the plain net.
    function besideOf(id) {
      if (!now.beside || !walk.plain) return null;
      const [kind, a] = id.split(":");
      if (kind === "q") return "k:" + a;
      if (!["v", "g", "c"].includes(kind) || !walk.plain.nodes[walk.nodes[a].name]) return null;
      return (kind === "v" ? "b:" : "h:") + a;
    }

    function parameterChooser() {
      const select = element("select", {});
      walk.parameters.forEach((parameter, n) => select.append(element("option", { value: n }, parameter.name)));
      select.value = now.parameter;
      select.addEventListener("change", () => {
        now.parameter = Number(select.value);
        clearMade();
        drawTensors(walk.stops[now.stop]);
      });
      return element("label", { class: "choose" }, "Parameter ", select);
    }

    function drawText(stop) {
      const box = document.getElementById("text");
      const phase = { forward: "forward", backward: "backward", step: "the step" }[stop.phase];
      box.replaceChildren(element("h2", {}, `${now.stop + 1}. ${stop.name}, ${phase}`), element("p", {}, stop.sentence));
      const table = element("table", { class: "equations" });
      for (const [text, number, page] of stop.equations) {
        table.append(element("tr", {}, element("td", { class: "equation" }, text), element("td", {}, number),
          element("td", { class: "page" }, page)));
      }
      if (stop.equations.length) box.append(table);
      if (stop.question && now.ask) box.append(questionView(stop));
    }

    function questionView(stop) {
      const { kind, text, choices, answer } = stop.question;
      const box = element("div", { class: "question" }, element("p", {}, text));
      if (isRevealed(now.stop)) {
        const given = now.answers.get(now.stop);
        const words = given === undefined || given === null ? `Answer: ${full(answer)}`
          : isRight(stop.question, given) ? `Right: ${full(answer)}` : `Not ${given}, but ${full(answer)}`;
        box.append(element("p", { class: "verdict" }, words));
        return box;
      }
      const row = element("div", { class: "choices" });
      if (kind === "value") {
        const input = element("input", { type: "text", inputmode: "text", "aria-label": text });
        const button = element("button", { type: "button" }, "Answer");
        const send = () => input.value.trim() && reveal(input.value.trim());
        button.addEventListener("click", send);
        input.addEventListener("keydown", (event) => event.key === "Enter" && send());
        row.append(input, button);
      } else {
        for (const choice of choices) {
          const button = element("button", { type: "button" }, choice);
          button.addEventListener("click", () => reveal(choice));
          row.append(button);
        }
      }
      const show = element("button", { type: "button", id: "show" }, "Show");
      show.addEventListener("click", () => reveal(null));
      row.append(show);
      box.append(row);
      return box;
    }

    function isRight({ kind, answer }, given) {
      if (kind !== "value") return given === answer;
      const [a, b] = [Number(answer), Number(given.replace("−", "-").replace(",", "."))];
      return given !== "" && Math.abs(a - b) <= Math.max(0.006, 0.02 * Math.abs(a));
    }

    function drawCode(stop) {
      const box = document.getElementById("code");
      box.replaceChildren();
      stop.code.forEach(([key, ...marked], number) => {
        const { file, line, lines } = walk.snippets[key];
        if (number === 0) box.append(element("h3", {}, "The code"));
        box.append(element("p", { class: "file" }, `${file}:${line + (marked[0] ?? 0)}`));
        const pre = element("pre", { tabindex: 0 });
        lines.forEach((text, i) => {
          const row = element("span", marked.includes(i) ? { class: "marked" } : {}, element("i", {}, line + i), text);
          if (marked.includes(i)) row.setAttribute("aria-current", "true");
          pre.append(row);
        });
        box.append(pre);
        const first = pre.querySelector(".marked");
        if (lines.length > 24 && first) {
          pre.style.maxHeight = "26em";
          pre.scrollTop = first.offsetTop - pre.offsetTop - 120;
        }
      });
    }
    """#
}
