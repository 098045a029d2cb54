// Loads what a worker measures: node:fs of whatever runtime this is, or the engine.
import process from 'node:process';
import { giveUp } from './protocol.mjs';

/**
 * @param {'node' | 'ioengine'} name
 * @returns {Promise<{ fs: typeof import('node:fs'), engine?: { backend: () => object, stats: () => { lanes: object },
 *   alignedBuffer: (size: number) => Buffer } }>}
 */
export async function loadSubject(name) {
  if (name === 'node') return { fs: (await import('node:fs')).default };
  try {
    const { fs, engine } = await importEngine();
    const asked = process.env.IOENGINE_BACKEND;
    const { name } = engine.backend();
    if (asked !== 'auto' && asked !== name) throw new Error(`asked for the backend ${asked}, got ${name}`);
    return { fs, engine };
  } catch (error) {
    return giveUp(error); // the backend is not available here: the parent prints why
  }
}

/** This repository's engine, or the build in the folder that `--engine` names. */
async function importEngine() {
  const root = process.env.BENCH_ENGINE;
  const [files, engine] = root ? [`${root}/dist/fs.mjs`, `${root}/dist/index.mjs`] : ['ioengine/fs', 'ioengine'];
  return { fs: (await import(files)).default, engine: await import(engine) };
}

/**
 * Page-aligned memory without a native addon: WebAssembly memory is. It is what makes O_DIRECT possible with node:fs.
 * @param {number} size
 * @param {number} count
 * @returns {Uint8Array[]}
 */
export function pageAlignedBuffers(size, count) {
  const wasmPage = 65536;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((size * count) / wasmPage) });
  return Array.from({ length: count }, (_, i) => new Uint8Array(memory.buffer, i * size, size));
}
