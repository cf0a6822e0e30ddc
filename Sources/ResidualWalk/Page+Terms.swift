// Page+Terms.swift: the page's script: which numbers a number was made of.
//
// The page's own arithmetic is compared with the numbers that Swift computed by scripts/check-walk.py.

extension Page {
  /// What a number was made of: terms, each a product of numbers of other tensors.
  static let scriptTerms = #"""
    // A factor that is a number of a tensor, and one that is not.
    const at = (id, p) => ({ id, i: flat(tensor(id).shape, p) });
    const plainFactor = (label, value) => ({ label, value });
    const factorValue = (f) => (f.id ? tensor(f.id).numbers[f.i] : f.value);
    // Its name; that of the block where the walk is can be left out.
    function factorName(f) {
      if (!f.id) return f.label;
      const number = currentBlock(), { name, shape } = tensor(f.id);
      const isIn = number !== null && number >= 0;
      return (isIn ? name.replace(walk.blocks[number].name + ".", "") : name) + `[${position(shape, f.i).join(", ")}]`;
    }
    const termValue = (term) => term.factors.reduce((product, f) => product * factorValue(f), term.sign || 1);
    const term = (...factors) => ({ factors });
    const minus = (...factors) => ({ factors, sign: -1 });
    const range = (n) => Array.from({ length: n }, (_, i) => i);

    // The terms of number i of a tensor, or null for what nobody computed.
    function terms(id, i) {
      const [kind, a, b] = id.split(":");
      const p = position(tensor(id).shape, i);
      switch (kind) {
        case "v": return forwardTerms(Number(a), p);
        case "g": {
          const node = walk.nodes[a];
          if (node.arriving) return node.arriving.map(([reader]) => term({ id: `c:${a}:${reader}`, i }));
          const reader = walk.nodes.findIndex((other) => other.inputs.includes(Number(a)));
          return reader < 0 ? null : backwardTerms(Number(a), reader, p);
        }
        case "c": return backwardTerms(Number(a), Number(b), p);
        case "q": return parameterTerms(Number(a), p);
        case "s": return [
          term(plainFactor("η", walk.rate), { id: "q:" + a, i }),
          term(plainFactor("η λ", walk.rate * 1e-4), { id: "p:" + a, i }),
        ];
        case "n": return [term({ id: "p:" + a, i }), minus({ id: "s:" + a, i })];
        default: return null;
      }
    }

    // The taps of a window inside the image: offsets in the kernel and pixels of the input.
    function taps(node, kernel, input, [n, i, j]) {
      const found = [];
      for (let y = 0; y < kernel[0]; y++) for (let x = 0; x < kernel[1]; x++) {
        const [row, column] = [i * node.stride + y - node.padding, j * node.stride + x - node.padding];
        if (row >= 0 && row < input[1] && column >= 0 && column < input[2]) found.push([y, x, row, column]);
      }
      return found;
    }

    const normalized = (k, x, p) => {
      const [node, c] = [walk.nodes[k], p[p.length - 1]];
      return plainFactor("x̂", (factorValue(at("v:" + x, p)) - node.mean[c]) * node.inverse[c]);
    };

    function forwardTerms(k, p) {
      const node = walk.nodes[k], [x, h] = node.inputs;
      const input = x === undefined ? null : walk.nodes[x].shape;
      switch (node.kind) {
        case "convolution": {
          const w = parameterOf(k, "weight"), kernel = walk.parameters[w].shape;
          return taps(node, kernel, input, p).flatMap(([y, z, row, column]) =>
            range(kernel[2]).map((c) => term(at("v:" + x, [p[0], row, column, c]), at("p:" + w, [y, z, c, p[3]]))));
        }
        case "normalization": return [
          term(at("p:" + parameterOf(k, "scale"), [p[3]]), normalized(k, x, p)),
          term(at("p:" + parameterOf(k, "shift"), [p[3]])),
        ];
        case "relu": return factorValue(at("v:" + x, p)) > 0 ? [term(at("v:" + x, p))] : [];
        case "maxPool": {
          const pixels = taps(node, [node.window, node.window], input, p).map(([, , row, column]) =>
            at("v:" + x, [p[0], row, column, p[3]]));
          return [term(pixels.reduce((best, f) => (factorValue(f) > factorValue(best) ? f : best)))];
        }
        case "identity": return [term(at("v:" + x, p))];
        case "zeros": {
          const c = p[3] - node.front;
          return c < 0 || c >= input[3] ? []
            : [term(at("v:" + x, [p[0], p[1] * node.stride, p[2] * node.stride, c]))];
        }
        case "sum": return [term(at("v:" + x, p)), term(at("v:" + h, p))];
        case "averagePool": {
          const pixels = input[1] * input[2], share = plainFactor("1/" + pixels, 1 / pixels);
          return range(pixels).map((q) =>
            term(at("v:" + x, [p[0], Math.floor(q / input[2]), q % input[2], p[1]]), share));
        }
        case "linear": {
          const w = parameterOf(k, "weight");
          return [...range(input[1]).map((q) => term(at("v:" + x, [p[0], q]), at("p:" + w, [q, p[1]]))),
            term(at("p:" + parameterOf(k, "bias"), [p[1]]))];
        }
        case "loss": return walk.labels.map((t, n) => {
          const probability = at("t:0", [n, t]);
          return term(plainFactor(`−1/${walk.labels.length}`, -1 / walk.labels.length),
            { ...plainFactor("log " + factorName(probability), Math.log(factorValue(probability))), of: probability });
        });
        default: return null;
      }
    }

    // What node r hands back to place p of node k.
    function backwardTerms(k, r, p) {
      const reader = walk.nodes[r], shape = walk.nodes[k].shape, dy = "g:" + r;
      switch (reader.kind) {
        case "convolution": {
          const w = parameterOf(r, "weight"), kernel = walk.parameters[w].shape, found = [];
          for (let y = 0; y < kernel[0]; y++) for (let x = 0; x < kernel[1]; x++) {
            const [i, j] = [(p[1] + reader.padding - y) / reader.stride, (p[2] + reader.padding - x) / reader.stride];
            if (!Number.isInteger(i) || !Number.isInteger(j) || i < 0 || j < 0) continue;
            if (i >= reader.shape[1] || j >= reader.shape[2]) continue;
            for (const o of range(kernel[3])) found.push(term(at(dy, [p[0], i, j, o]), at("p:" + w, [y, x, p[3], o])));
          }
          return found;
        }
        case "normalization": {
          const [scale, shift] = [parameterOf(r, "scale"), parameterOf(r, "shift")], c = [p[3]];
          const m = shape[0] * shape[1] * shape[2], share = plainFactor("1/" + m, 1 / m);
          const [gamma, inverse] = [at("p:" + scale, c), at("r:" + r, c)];
          return [term(gamma, inverse, at(dy, p)), minus(gamma, inverse, at("q:" + shift, c), share),
            minus(gamma, inverse, normalized(r, k, p), at("q:" + scale, c), share)];
        }
        case "relu": return factorValue(at("v:" + r, p)) > 0 ? [term(at(dy, p))] : [];
        case "maxPool": {
          const found = [];
          range(reader.value.length).forEach((o) => {
            const q = position(reader.shape, o);
            if (q[0] !== p[0] || q[3] !== p[3]) return;
            const pixels = taps(reader, [reader.window, reader.window], shape, q);
            const winner = pixels.find(([, , row, column]) =>
              factorValue(at("v:" + k, [p[0], row, column, p[3]])) === reader.value[o]);
            if (winner && winner[2] === p[1] && winner[3] === p[2]) found.push(term({ id: dy, i: o }));
          });
          return found;
        }
        case "identity": case "sum": return [term(at(dy, p))];
        case "zeros": {
          if (p[1] % reader.stride || p[2] % reader.stride) return [];
          return [term(at(dy, [p[0], p[1] / reader.stride, p[2] / reader.stride, p[3] + reader.front]))];
        }
        case "averagePool": {
          const pixels = shape[1] * shape[2];
          return [term(at(dy, [p[0], p[3]]), plainFactor("1/" + pixels, 1 / pixels))];
        }
        case "linear": {
          const w = parameterOf(r, "weight");
          return range(reader.shape[1]).map((o) => term(at(dy, [p[0], o]), at("p:" + w, [p[1], o])));
        }
        case "loss": {
          const share = plainFactor("1/N", 1 / walk.labels.length);
          const first = term(at("t:0", p), share);
          return walk.labels[p[0]] === p[1] ? [first, minus(plainFactor("1", 1), share)] : [first];
        }
      }
    }

    function parameterTerms(n, p) {
      const parameter = walk.parameters[n], k = parameter.node, node = walk.nodes[k], x = node.inputs[0];
      const word = parameter.name.slice(node.name.length + 1), channel = p[p.length - 1];
      const places = range(node.value.length).map((i) => position(node.shape, i))
        .filter((q) => q[q.length - 1] === channel);
      const dy = (q) => at("g:" + k, q);
      if (word === "shift" || word === "bias") return places.map((q) => term(dy(q)));
      if (word === "scale") return places.map((q) => term(dy(q), normalized(k, x, q)));
      if (node.kind === "linear") return places.map((q) => term(dy(q), at("v:" + x, [q[0], p[0]])));
      const input = walk.nodes[x].shape;
      return places.flatMap((q) => {
        const [row, column] = [q[1] * node.stride + p[0] - node.padding, q[2] * node.stride + p[1] - node.padding];
        const isInside = row >= 0 && column >= 0 && row < input[1] && column < input[2];
        return isInside ? [term(dy(q), at("v:" + x, [q[0], row, column, p[2]]))] : [];
      });
    }
    """#
}
