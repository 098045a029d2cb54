// readFile of one file from the page cache, again and again.
import process from 'node:process';
import { verifyBytes } from '../lib/blocks.mjs';
import { serve } from './protocol.mjs';
import { loadSubject } from './subject.mjs';

/** @type {{ subject: 'node' | 'ioengine', file: string, size: number }} `size` of the file */
const config = JSON.parse(process.argv[2]);
const { fs, engine } = await loadSubject(config.subject);

await serve({
  prepare: async () => verifyBytes(await fs.promises.readFile(config.file), 0),
  facts: () => ({ backend: engine?.backend() }),
  lanes: () => engine?.stats().lanes,
  async run(passes) {
    for (let pass = 0; pass < passes; pass++) {
      const { length } = await fs.promises.readFile(config.file);
      if (length !== config.size) throw new Error(`${length} of ${config.size} bytes`);
    }
    return { work: passes * config.size };
  },
});
