// Page+Grids.swift: the page's script: tensors as grids of numbers over colours, and the panel that says what a number
// was made of.

extension Page {
  /// Grids, and what happens when a number is pointed at.
  static let scriptGrids = #"""
    const element = (name, attributes = {}, ...children) => {
      const made = document.createElement(name);
      for (const [key, value] of Object.entries(attributes)) {
        if (value !== null && value !== undefined) made.setAttribute(key, value);
      }
      made.append(...children);
      return made;
    };

    // The channel that is shown of a tensor of weights.
    const shownChannels = new Map();

    // The grids of a tensor: for images one for each image and channel, for weights one for each channel of the other
    // side, for a matrix or a row one.
    function slices(id, shape, isWeight, axis) {
      if (shape.length === 1 || (shape.length === 2 && shape[0] === 1)) {
        const count = shape[shape.length - 1], inRow = 8;
        const rows = range(Math.ceil(count / inRow)).map((r) =>
          range(Math.min(inRow, count - r * inRow)).map((c) => r * inRow + c));
        return [{ title: count > inRow ? "eight in a row" : "", rows }];
      }
      if (shape.length === 2) {
        const rows = range(shape[0]).map((r) => range(shape[1]).map((c) => r * shape[1] + c));
        return [{ title: "", rows }];
      }
      const grid = (title, place, height, width) => ({
        title, rows: range(height).map((y) => range(width).map((x) => flat(shape, place(y, x)))),
      });
      if (!isWeight) {
        return range(shape[0]).flatMap((n) => range(shape[3]).map((c) =>
          grid((shape[0] > 1 ? `image ${n}, ` : "") + `channel ${c}`, (y, x) => [n, y, x, c], shape[1], shape[2])));
      }
      const shown = Math.min(shownChannels.get(id) || 0, shape[axis] - 1);
      return axis === 3
        ? range(shape[2]).map((c) => grid(`from channel ${c}`, (y, x) => [y, x, c, shown], shape[0], shape[1]))
        : range(shape[3]).map((o) => grid(`to channel ${o}`, (y, x) => [y, x, shown, o], shape[0], shape[1]));
    }

    // A tensor with its name, shape, mean and deviation. A hidden one is not computed yet.
    function tensorView(id, { hidden = false, axis = 3, note = "" } = {}) {
      const { name, shape, numbers, back } = tensor(id);
      const isWeight = name.includes(".weight") && shape.length === 4;
      const view = element("div", { class: "tensor", "data-tensor": id });
      const kind = back ? "backward" : "forward";
      view.append(element("p", {}, element("span", { class: "name " + kind }, name),
        hidden ? "  not computed yet" : `  [${shape.join(", ")}]  ${spread(numbers)}`, note ? "  " + note : ""));
      if (isWeight) view.append(channelChooser(id, shape, axis, hidden));
      view.append(grids(id, shape, numbers, hidden, isWeight, axis));
      return view;
    }

    function channelChooser(id, shape, axis, hidden) {
      const select = element("select", {});
      for (const c of range(shape[axis])) select.append(element("option", { value: c }, c));
      select.value = Math.min(shownChannels.get(id) || 0, shape[axis] - 1);
      select.addEventListener("change", () => showChannel(id, Number(select.value), axis, hidden));
      return element("label", { class: "choose" }, axis === 3 ? "weights to channel " : "weights from channel ", select);
    }

    function showChannel(id, channel, axis, hidden = false) {
      shownChannels.set(id, channel);
      const view = document.querySelector(`.tensor[data-tensor="${id}"]`);
      if (!view || view.querySelector("select").value !== String(channel)) {
        if (view) view.querySelector("select").value = channel;
      }
      if (!view) return;
      const { shape, numbers } = tensor(id);
      view.querySelector(".grids").replaceWith(grids(id, shape, numbers, hidden, true, axis));
    }

    function grids(id, shape, numbers, hidden, isWeight, axis) {
      const largest = numbers.reduce((a, x) => Math.max(a, Math.abs(x)), 0) || 1;
      const box = element("div", { class: "grids", "data-axis": axis });
      let isFirst = true;
      for (const { title, rows } of slices(id, shape, isWeight, axis)) {
        const table = element("table", { role: "grid", "aria-label": `${tensor(id).name} ${title}` });
        if (title) table.append(element("caption", {}, title));
        for (const row of rows) {
          const line = element("tr", {});
          for (const i of row) {
            const x = numbers[i];
            const cell = element("td", { role: "gridcell", "data-i": i, tabindex: isFirst && !hidden ? 0 : -1 });
            if (hidden) {
              cell.className = "hidden";
              cell.setAttribute("aria-label", "not computed yet");
              cell.textContent = "?";
            } else {
              cell.textContent = short(x);
              cell.className = x > 0 ? "positive" : x < 0 ? "negative" : "zero";
              cell.style.setProperty("--share", `${Math.round(55 * Math.abs(x) / largest)}%`);
            }
            line.append(cell);
            isFirst = false;
          }
          table.append(line);
        }
        box.append(table);
      }
      return box;
    }

    const isPending = (id) => !!document.querySelector(`.tensor[data-tensor="${id}"] td.hidden`);
    const cellOf = (id, i) => document.querySelector(`.tensor[data-tensor="${id}"] td[data-i="${i}"]`);

    // Says what number i of a tensor was made of, and lights up the numbers that it was made of.
    function showMade(id, i) {
      clearMade();
      if (isPending(id)) return;
      const { name, shape, numbers } = tensor(id);
      const p = position(shape, i);
      const made = terms(id, i);
      const panel = document.getElementById("made");
      const close = element("button", { class: "close", type: "button", "aria-label": "Close" }, "×");
      close.addEventListener("click", clearMade);
      panel.append(close, element("p", {}, element("b", {}, `${name}[${p.join(", ")}] = ${full(numbers[i])}`)));
      const differences = { g: "d", q: "e", m: "d" }[id.split(":")[0]];
      if (differences) panel.append(element("p", {}, againstDifference(id, i)));
      if (made) {
        for (const { factors } of made) for (const f of factors) light(f.of || f, p);
        panel.append(termTable(made));
      } else if (id.startsWith("p:")) {
        panel.append(element("p", {}, "A parameter: it was there before the step."));
      } else if (id === "v:0") {
        panel.append(element("p", {}, "The input: a pixel after its normalization."));
      }
      cellOf(id, i)?.classList.add("current");
    }

    function againstDifference(id, i) {
      const [kind, a] = id.split(":");
      const other = kind === "m" ? numberOf(a) : id;
      const difference = tensor(other.replace("g:", "d:").replace("q:", "e:")).numbers[i];
      return `Finite difference: ${full(difference)}` + (kind === "m" ? `; without the mistake: `
        + full(tensor(other).numbers[i]) : "");
    }

    function termTable(made) {
      if (!made.length) return element("p", {}, "No term: nothing comes through here.");
      const table = element("table", {});
      let sum = 0;
      made.forEach((one, number) => {
        const value = termValue(one);
        sum += value;
        if (number >= 60) return;
        table.append(element("tr", {}, element("td", {}, one.factors.map(factorName).join(" · ")),
          element("td", {}, (one.sign ? "−" : "") + one.factors.map((f) => four(factorValue(f))).join(" · ")),
          element("td", {}, "= " + four(value))));
      });
      const words = made.length === 1 ? "1 term" : `${made.length} terms`;
      const more = made.length > 60 ? `, of which 60 are shown` : "";
      return element("div", { "data-sum": sum }, table,
        element("p", {}, `${words}${more}; sum ${full(Number(sum.toPrecision(5)))}`));
    }

    const four = (x) => full(Number(x.toPrecision(4)));

    // Lights up a factor where it is shown; weights turn to its channel.
    function light(f) {
      if (!f.id) return;
      const view = document.querySelector(`.tensor[data-tensor="${f.id}"]`);
      if (!view || isPending(f.id)) return;
      if (!cellOf(f.id, f.i) && view.querySelector("select")) {
        const axis = Number(view.querySelector(".grids").dataset.axis);
        if (!view.querySelector("td.lit")) showChannel(f.id, position(tensor(f.id).shape, f.i)[axis], axis);
      }
      cellOf(f.id, f.i)?.classList.add("lit");
    }

    function clearMade() {
      document.getElementById("made").replaceChildren();
      for (const cell of document.querySelectorAll("td.lit, td.current")) cell.classList.remove("lit", "current");
    }

    const place = (cell) => [cell.closest(".tensor").dataset.tensor, Number(cell.dataset.i)];

    // The arrow keys inside a grid.
    function moveInGrid(cell, key) {
      const row = cell.parentElement, index = [...row.children].indexOf(cell);
      const next = {
        ArrowLeft: () => cell.previousElementSibling, ArrowRight: () => cell.nextElementSibling,
        ArrowUp: () => row.previousElementSibling?.children[index],
        ArrowDown: () => row.nextElementSibling?.children[index],
      }[key]();
      if (next && next.matches("td")) next.focus();
    }
    """#
}
