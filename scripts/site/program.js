// program.js: the Swift program and what it needs of a browser. The page and its workers use it.

// Whether the browser knows WebAssembly's vectors: a function that makes one.
const hasVectors = () => typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]));

// The program in resnet.wasm.js, compiled. A page from disk may load scripts, and nothing else from there.
async function compiledProgram() {
  const packed = Uint8Array.from(atob(resnetProgram), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

// A program of its own memory, and its functions with what they answer.
function openProgram(module) {
  let memory, answer = null, line = "";
  const env = {
    answer(address, count) { answer = memory.buffer.slice(address, address + count); },
    arc4random_buf(address, count) { crypto.getRandomValues(new Uint8Array(memory.buffer, address, count)); },
    grow(pages) {
      try {
        return memory.grow(pages);
      } catch {
        return -1;
      }
    },
    putchar(character) {
      if (character === 10) console.log(line);
      line = character === 10 ? "" : line + String.fromCharCode(character);
      return character;
    },
  };
  const { exports } = new WebAssembly.Instance(module, { env });
  memory = exports.memory;
  const call = (name, ...values) => {
    answer = new ArrayBuffer(0);
    exports[name](...values);
    return answer;
  };
  return {
    call,
    numbers: (name, ...values) => [...new Float64Array(call(name, ...values))],
    text: (name, ...values) => new TextDecoder().decode(call(name, ...values)),
    // Hands bytes to the function that is called next.
    write(bytes) { new Uint8Array(memory.buffer, exports.request(bytes.length), bytes.length).set(bytes); },
    bytesOfMemory: () => memory.buffer.byteLength,
  };
}
