// worker.js: one network's training run, in a worker of the page. It ends with the page.

function trainingWorker() {
  let program, settings, isRunning = false, drawing = null, steps = 0;
  const turns = new MessageChannel();  // between two turns, messages of the page come through
  turns.port1.onmessage = () => isRunning && turn();

  function begin() {
    const { isPlain, depth, images, test, batch, iterations, rate, seed } = settings;
    program.call("trainingBegin", isPlain ? 1 : 0, depth, images, test, batch, iterations, rate, seed);
    if (settings.state) {
      program.write(settings.state);
      program.call("trainingRestore");
    }
    postMessage({ kind: "ready", pictures: pictures(), classes: program.text("trainingClasses").split("\n") });
    steps = settings.iteration || 0;
    measure();
    if (steps) checksum();
  }

  // The held-out images that the page shows.
  const pictures = () => Array.from({ length: settings.shown }, (_, i) => new Uint8Array(program.call("trainingImage", i)));

  function turn() {
    const began = performance.now();
    const [iteration, loss, errors, count, rate] = program.numbers("trainingStep");
    if (loss === undefined) {
      isRunning = false;
      postMessage({ kind: "diverged", iteration });
      return;
    }
    steps = iteration;
    const isDone = steps >= settings.iterations;
    postMessage({ kind: "step", iteration, loss, error: errors / count, rate, time: performance.now() - began });
    if (isDone) isRunning = false;
    if (isDone || iteration % settings.every === 0) measure();
    if (isDone) checksum();
    if (isRunning) turns.port2.postMessage(null);
  }

  // What is shown besides the loss, and the state that the page keeps.
  function measure() {
    const [right, count] = program.numbers("trainingEvaluate");
    postMessage({
      kind: "measured", iteration: steps, error: 1 - right / count, responses: program.numbers("trainingResponses", 64),
      state: new Uint8Array(program.call("trainingState")), memory: program.bytesOfMemory(),
    });
    classify();
  }

  function classify() {
    const all = drawing ? [...pictures(), drawing] : pictures();
    const pixels = new Uint8Array(3072 * all.length);
    all.forEach((picture, i) => pixels.set(picture.subarray(0, 3072), 3072 * i));
    program.write(pixels);
    postMessage({ kind: "classified", probabilities: program.numbers("trainingPredict") });
  }

  const checksum = () => postMessage({ kind: "checksum", iteration: steps, digits: program.text("trainingChecksum") });

  onmessage = ({ data }) => {
    switch (data.kind) {
      case "begin":
        settings = data.settings;
        program = openProgram(data.module);
        begin();
        break;
      case "go":
        if (isRunning) break;
        isRunning = true;
        turns.port2.postMessage(null);
        break;
      case "stop":
        if (!isRunning) break;
        isRunning = false;
        measure();
        checksum();
        break;
      case "draw":
        drawing = data.pixels;
        classify();
        break;
      case "checkpoint":
        postMessage({ kind: "checkpoint", bytes: new Uint8Array(program.call("trainingCheckpoint")) });
        break;
    }
  };
}
