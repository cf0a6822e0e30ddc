// Page+Numbers.swift: the page's script: tensors by their names, and what a number was made of.

extension Page {
  /// Tensors, positions, numbers as text.
  static let scriptNumbers = #"""
    // A tensor's id: its kind, and the number of its node or parameter.
    //   v:3 value   g:3 gradient   c:3:5 the gradient that node 5 hands back to node 3   d:3 finite differences
    //   p:1 parameter   q:1 its gradient   e:1 finite differences   s:1 velocity   n:1 value after the step
    //   b:3 and h:3 value and gradient of the plain net, k:1 gradient of its parameter   m:name with a mistake
    //   t:0 probabilities   mu:3 and r:3 the statistics of a normalization
    function tensor(id) {
      const [kind, a, b] = id.split(":");
      const node = walk.nodes[a], parameter = walk.parameters[a];
      const channels = () => [node.shape[node.shape.length - 1]];
      switch (kind) {
        case "v": return { name: node.name, shape: node.shape, numbers: node.value };
        case "g": return { name: "d " + node.name, shape: node.shape, numbers: node.gradient, back: true };
        case "d": return { name: "finite difference of " + node.name, shape: node.shape, numbers: node.difference,
          back: true };
        case "c": {
          const found = (node.arriving || []).find(([reader]) => reader == b);
          return { name: `d ${node.name}, from ${walk.nodes[b].name}`, shape: node.shape,
            numbers: found ? found[1] : node.gradient, back: true };
        }
        case "p": return { name: parameter.name, shape: parameter.shape, numbers: parameter.value };
        case "q": return { name: "d " + parameter.name, shape: parameter.shape, numbers: parameter.gradient,
          back: true };
        case "e": return { name: "finite difference of " + parameter.name, shape: parameter.shape,
          numbers: parameter.difference, back: true };
        case "s": return { name: "v of " + parameter.name, shape: parameter.shape, numbers: parameter.velocity,
          back: true };
        case "n": return { name: parameter.name + ", new", shape: parameter.shape, numbers: parameter.next };
        case "b": return { name: node.name + ", plain net", shape: node.shape, numbers: walk.plain.nodes[node.name][0] };
        case "h": return { name: `d ${node.name}, plain net`, shape: node.shape, back: true,
          numbers: walk.plain.nodes[node.name][1] };
        case "k": return { name: `d ${parameter.name}, plain net`, shape: parameter.shape, back: true,
          numbers: walk.plain.parameters[parameter.name] };
        case "m": {
          const place = numberOf(a);
          const right = tensor(place);
          return { name: `d ${a}, with the mistake`, shape: right.shape, numbers: mistake().wrong[a], back: true };
        }
        case "t": return { name: "p", shape: [walk.labels.length, walk.probabilities.length / walk.labels.length],
          numbers: walk.probabilities };
        case "mu": return { name: "μ", shape: channels(), numbers: node.mean };
        case "r": return { name: "r", shape: channels(), numbers: node.inverse };
      }
    }

    // The gradient's id of a node or a parameter with this name.
    function numberOf(name) {
      const k = walk.nodes.findIndex((node) => node.name === name);
      return k >= 0 ? "g:" + k : "q:" + walk.parameters.findIndex((parameter) => parameter.name === name);
    }

    function position(shape, i) {
      const p = shape.map(() => 0);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        p[axis] = i % shape[axis];
        i = Math.floor(i / shape[axis]);
      }
      return p;
    }

    const flat = (shape, p) => shape.reduce((i, size, axis) => i * size + p[axis], 0);

    // Six significant digits, as the page holds them.
    const full = (x) => String(x).replaceAll("-", "−");

    // A few characters, for a cell.
    function short(x) {
      const size = Math.abs(x);
      if (x === 0) return "0";
      if (size < 1e-12) return "≈0";
      const text = size < 0.0095 ? x.toExponential(0) : size < 9.995 ? x.toFixed(2) : size < 99.95 ? x.toFixed(1)
        : size < 99999.5 ? x.toFixed(0) : x.toExponential(0);
      return text.includes("e") ? text.replace("e+", "e") : text.replace("-", "−");
    }

    // Mean and deviation, where Swift computed them.
    function spread({ mean, deviation }) {
      if (mean === undefined) return "";
      const three = (x) => (Math.abs(x) < 1e-12 ? "0" : String(Number(x.toPrecision(3))).replaceAll("-", "−"));
      return `mean ${three(mean)}, deviation ${three(deviation)}`;
    }

    // The page holds a tensor as its numbers n with their mean and deviation; here it becomes an array that has both.
    function unpacked(part) {
      if (part === null || typeof part !== "object") return part;
      if (part.n) return Object.assign(part.n, { mean: part.mean, deviation: part.deviation });
      for (const key of Object.keys(part)) part[key] = unpacked(part[key]);
      return part;
    }

    unpacked(walk);

    const parametersOf = (k) => walk.parameters.map((_, n) => n).filter((n) => walk.parameters[n].node === k);
    const parameterOf = (k, word) =>
      walk.parameters.findIndex((parameter) => parameter.name === walk.nodes[k].name + "." + word);
    """#
}
