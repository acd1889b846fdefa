// Run a Python program in WebAssembly: node webassembly.mjs <folder of node_modules> <program> <source root>...
// The program's ask(text) writes a line to standard output and returns the line that comes back.
import { readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, program, ...roots] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(modules, "pyodide", "pyodide.mjs")));

function readByte(buffer) {
  for (;;) {
    try {
      return readSync(0, buffer);
    } catch (error) {
      // Node has made standard input one that does not wait.
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function ask(text) {
  writeSync(1, text + "\n");
  const bytes = [];
  const one = Buffer.alloc(1);
  while (readByte(one) === 1 && one[0] !== 10) bytes.push(one[0]);
  return Buffer.from(bytes).toString("utf-8");
}

const python = await loadPyodide();
roots.forEach((root, index) => {
  python.FS.mkdirTree(`/root${index}`);
  python.mountNodeFS(`/root${index}`, root);
});
python.globals.set("ask", ask);
python.runPython("import warnings; warnings.simplefilter('error')");
python.runPython(`import sys; sys.path[:0] = ${JSON.stringify(roots.map((_, index) => `/root${index}`))}`);
try {
  python.runPython(readFileSync(program, "utf-8"));
} catch (error) {
  // The message alone: node would show the line of code that threw, which is a megabyte long.
  writeSync(2, error.message);
  process.exit(1);
}
