// node run-wasm.mjs golden.wasm
//
// Runs a program of Embedded Swift. It needs three functions: characters out, random bytes, and more memory.

import { readFileSync, writeSync } from "node:fs";

let memory;
let line = [];
const env = {
  putchar(character) {
    line.push(character);
    if (character === 10) {
      writeSync(1, Buffer.from(line));
      line = [];
    }
    return character;
  },
  arc4random_buf(address, count) {
    crypto.getRandomValues(new Uint8Array(memory.buffer, address, count));
  },
  grow(pages) {
    try {
      return memory.grow(pages);
    } catch {
      return -1;
    }
  },
};

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { env });
memory = instance.exports.memory;
instance.exports.__main_argc_argv(0, 0);
