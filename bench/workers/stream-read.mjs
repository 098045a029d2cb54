// Reads the file from start to end through createReadStream, one pass after the other; the consumer only counts.
import process from 'node:process';
import { verifyBytes } from '../lib/blocks.mjs';
import { directProof } from './direct-proof.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/** @type {{ subject: 'node' | 'ioengine', file: string, size: number, chunk: number, direct: boolean }} */
const config = JSON.parse(process.argv[2]);
const { fs, engine } = await loadSubject(config.subject);
const proof = config.direct ? directProof(engine) : undefined;

/**
 * @param {(chunk: Buffer, position: number) => void} [look]
 * @returns {Promise<number>} bytes
 */
function readWholeFile(look) {
  return new Promise((resolve, reject) => {
    const options = { highWaterMark: config.chunk, end: config.size - 1, ...(config.direct ? { direct: true } : {}) };
    const stream = fs.createReadStream(config.file, options);
    let bytes = 0;
    stream.on('data', (chunk) => {
      look?.(/** @type {Buffer} */ (chunk), bytes);
      bytes += chunk.length;
    });
    stream.on('error', reject);
    stream.on('close', () => resolve(bytes));
  });
}

/** @param {number} bytes */
function requireWholeFile(bytes) {
  if (bytes !== config.size) throw new Error(`the stream gave ${bytes} of ${config.size} bytes`);
}

await serve({
  async prepare() {
    requireWholeFile(await readWholeFile((chunk, position) => verifyBytes(chunk, position)));
  },
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(passes) {
    for (let pass = 0; pass < passes; pass++) requireWholeFile(await readWholeFile());
    return { work: passes * config.size };
  },
  begin: () => proof?.begin(),
  check: (work) => proof?.check(work),
});
