// Page+Map.swift: the page's script: the way through the network as a drawing.

extension Page {
  /// The network from the images down to the loss: in each block the branch on the left and the shortcut on the right,
  /// values on their way down, gradients on their way up.
  static let scriptMap = #"""
    const mapColumn = { branch: 78, shortcut: 190 };
    const rowHeight = 31;

    // Where each node stands: its centre, and the rows of each block.
    const mapPlaces = (() => {
      const places = [], blocks = [];
      let y = 24;
      const put = (k, x = mapColumn.branch) => {
        places[k] = { x, y };
        y += rowHeight;
      };
      for (let k = 0; k < walk.nodes.length;) {
        const number = walk.nodes[k].block;
        if (number === null) {
          put(k++);
          continue;
        }
        const block = walk.blocks[number], top = y;
        y += 40;
        for (const node of block.branch) put(node);
        const middle = (places[block.branch[0]].y + places[block.branch.at(-1)].y) / 2;
        block.shortcut.forEach((node, i) => {
          places[node] = { x: mapColumn.shortcut, y: middle + (i - (block.shortcut.length - 1) / 2) * rowHeight };
        });
        if (block.sum !== null) put(block.sum);
        put(block.output);
        blocks[number] = { top, bottom: y - rowHeight / 2 + 4, fork: top + 6 };
        y += 6;
        k = block.output + 1;
      }
      return { places, blocks, height: y };
    })();

    const stopOf = (phase, k) => walk.stops.findIndex((s) => s.phase === phase && s.node === k && !s.addition);
    const isDone = (phase, k) => {
      const s = stopOf(phase, k);
      return s >= 0 && (s < now.stop || (s === now.stop && isRevealed(s)));
    };

    // The drawing at the current stop; on a narrow screen the current block alone.
    function drawMap() {
      const lines = [];
      const edge = (points, phase, done, bold) => {
        const d = "M" + points.map(([x, y]) => `${x} ${y}`).join(" L");
        const kind = done ? phase : "";
        lines.push(`<path class="${kind}${bold ? " bold" : ""}" d="${d}"${done ? ` marker-end="url(#tip-${phase})"` : ""}/>`);
      };
      walk.nodes.forEach((node, k) => node.inputs.forEach((input) => drawEdge(input, k, edge)));
      const nodes = walk.nodes.map((node, k) => drawNode(node, k)).join("");
      const additions = walk.blocks.map((block, number) => drawAddition(block, number)).join("");
      const titles = walk.blocks.map((block, number) =>
        `<text class="faint" x="238" y="${mapPlaces.blocks[number].bottom}" text-anchor="end">${block.name}</text>`);
      const tips = ["forward", "backward"].map((phase) =>
        `<marker id="tip-${phase}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"
          markerUnits="userSpaceOnUse"><path style="fill:var(--${phase});stroke:none" d="M0 0.5 L8 4 L0 7.5 z"/></marker>`);
      const [top, height] = mapWindow();
      document.getElementById("map").innerHTML = `<svg viewBox="0 ${top} 246 ${height}" role="img"
        aria-label="${mapWords()}"><defs>${tips.join("")}</defs>${titles.join("")}${lines.join("")}${nodes}${additions}</svg>`;
      for (const group of document.querySelectorAll("#map g.node")) {
        group.addEventListener("click", () => go(stopOf(now.phase === "forward" ? "forward" : "backward",
          Number(group.dataset.node)), true));
      }
      scrollMap();
    }

    function drawEdge(from, to, edge) {
      const [a, b] = [mapPlaces.places[from], mapPlaces.places[to]];
      const number = walk.nodes[to].block, block = number === null ? null : walk.blocks[number];
      const bold = [from, to].includes(walk.stops[now.stop].node) && walk.stops[now.stop].node === to;
      const down = isDone("forward", to), up = isDone("backward", to);
      const isFirstOfShortcut = block && block.shortcut[0] === to;
      const isLastOfShortcut = block && block.sum === to && block.shortcut.includes(from);
      if (isFirstOfShortcut) {
        const fork = mapPlaces.blocks[number].fork;
        edge([[a.x + 14, fork], [b.x, fork], [b.x, b.y - 11]], "forward", down, bold);
        edge([[b.x + 10, b.y - 11], [b.x + 10, fork + 8], [a.x + 14, fork + 8]], "backward", up, bold);
      } else if (isLastOfShortcut) {
        edge([[a.x, a.y + 11], [a.x, b.y], [b.x + 13, b.y]], "forward", down, bold);
        edge([[b.x + 13, b.y + 7], [a.x + 10, b.y + 7], [a.x + 10, a.y + 11]], "backward", up, bold);
      } else {
        edge([[a.x - 6, a.y + 11], [b.x - 6, b.y - 11]], "forward", down, bold);
        edge([[b.x + 6, b.y - 11], [a.x + 6, a.y + 11]], "backward", up, bold);
      }
    }

    function drawNode(node, k) {
      const { x, y } = mapPlaces.places[k];
      const stop = walk.stops[now.stop];
      const here = stop.node === k && !stop.addition;
      const state = here ? "here" : isDone("backward", k) ? "back" : isDone("forward", k) ? "done" : "";
      const label = node.name.split(".").slice(node.block === null ? 0 : -1).join(".");
      const wrong = mistake() && mistake().place === node.name;
      const shape = node.kind === "sum" ? `<circle class="${state}" cx="${x}" cy="${y}" r="12"/>`
        : `<rect x="${x - 48}" y="${y - 11}" width="96" height="22" rx="5"/>`;
      const word = node.kind === "sum" ? "+" : node.kind === "identity" ? "identity" : node.kind === "zeros"
        ? "option A" : label;
      return `<g class="node ${state}" data-node="${k}">${shape}<text class="${wrong ? "wrong" : ""}" x="${x}"
        y="${y + 4}" text-anchor="middle">${word}${wrong ? " ✗" : ""}</text>${gradientBars(node, k, x, y)}</g>`;
    }

    // How large the gradient is there, with the plain net's beside it.
    function gradientBars(node, k, x, y) {
      if (!now.beside || !isDone("backward", k) || x !== mapColumn.branch) return "";
      const size = (numbers) => Math.sqrt(numbers.reduce((a, b) => a + b * b, 0) / numbers.length);
      const plain = walk.plain.nodes[node.name];
      const largest = 0.25, width = (v) => Math.max(1, Math.min(24, 24 * v / largest));
      return `<rect class="bar" x="1" y="${y - 8}" width="${width(size(node.gradient))}" height="7"/>`
        + (plain ? `<rect class="bar plain" x="1" y="${y + 1}" width="${width(size(plain[1]))}" height="7"/>` : "");
    }

    // The place where a block's two gradients are added.
    function drawAddition(block, number) {
      if (block.sum === null) return "";
      const s = walk.stops.findIndex((stop) => stop.addition && stop.name === block.name + ".input");
      const here = s === now.stop, done = s < now.stop;
      const fork = mapPlaces.blocks[number].fork + 4;
      const wrong = mistake() && mistake().place === block.name;
      return `<g class="node" data-addition="${s}"><circle class="${here ? "here" : done ? "back" : ""}"
        cx="${mapColumn.branch + 6}" cy="${fork}" r="8"/><text class="${wrong ? "wrong" : ""}" x="${mapColumn.branch + 6}"
        y="${fork + 4}" text-anchor="middle">${wrong ? "✗" : "+"}</text></g>`;
    }

    function mapWindow() {
      if (matchMedia("(min-width: 1000px)").matches) return [0, mapPlaces.height];
      const k = walk.stops[now.stop].node;
      const number = k === null ? null : currentBlock();
      if (number !== null) {
        const { top, bottom } = mapPlaces.blocks[number];
        return [top - rowHeight, bottom - top + rowHeight + 10];
      }
      const y = k === null ? 24 : mapPlaces.places[k].y;
      return [Math.max(0, y - 100), 200];
    }

    // The block of the current stop: at an addition the block whose input it is.
    function currentBlock() {
      const stop = walk.stops[now.stop];
      if (stop.addition) return walk.blocks.findIndex((block) => stop.name === block.name + ".input");
      return stop.node === null ? null : walk.nodes[stop.node].block;
    }

    function scrollMap() {
      const box = document.getElementById("map"), k = walk.stops[now.stop].node;
      if (box.scrollHeight <= box.clientHeight + 4 || k === null) return;
      const svg = box.querySelector("svg");
      box.scrollTop = mapPlaces.places[k].y * svg.clientHeight / mapPlaces.height - box.clientHeight / 2;
    }

    // The drawing in words.
    function mapWords() {
      const stop = walk.stops[now.stop];
      const count = (phase) => walk.nodes.filter((_, k) => isDone(phase, k)).length;
      const way = stop.addition ? "The gradients of the branch and of the shortcut meet here and are added."
        : stop.phase === "backward" ? "Gradients go up, against the values."
        : stop.phase === "forward" ? "Values go down." : "All gradients are there.";
      return `The network, at ${stop.name}, ${stop.phase}. ${way} ${count("forward")} layers have their values, `
        + `${count("backward")} have been gone back through.`;
    }
    """#
}
