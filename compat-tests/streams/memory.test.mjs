// What a copy by streams holds does not grow with the file. In a child, whose memory is its own.
import fs from 'node:fs';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { engineDirectory } from './support/engine-suite.mjs';

const MIB = 1024 * 1024;
const PASSES = 4;
const PASS_BYTES = 256 * MIB;
/** Above an idle process: both windows, and the chunks that V8 has not collected yet (32 MiB and more at a time). */
const PEAK_BYTES = 128 * MIB;
/** Between the first quarter and the last. */
const GROWTH_BYTES = 48 * MIB;

const code = `
  import nodeFs from 'node:fs';
  import { pipeline } from 'node:stream/promises';
  import fs from 'ioengine/fs';
  const [folder, options, passes] = process.argv.slice(1);
  const rss = [process.memoryUsage.rss()];
  for (let pass = 0; pass < Number(passes); pass++) {
    const to = fs.createWriteStream(folder + '/to', JSON.parse(options));
    await pipeline(fs.createReadStream(folder + '/from', JSON.parse(options)), to);
    rss.push(process.memoryUsage.rss());
    if (nodeFs.statSync(folder + '/to').size !== ${PASS_BYTES}) throw new Error('the copy has another size');
    nodeFs.rmSync(folder + '/to');
  }
  // Not resourceUsage().maxRSS: it counts what the process was before exec, a copy of the one that started it.
  const status = nodeFs.readFileSync('/proc/self/status', 'latin1');
  console.log(JSON.stringify({ rss, peak: Number(/VmHWM:\\s+(\\d+)/.exec(status)[1]) * 1024 }));
`;

describe('streams: memory', () => {
  const inDirectory = engineDirectory();
  before(function () {
    // AddressSanitizer keeps freed memory for a while (its quarantine, 256 MiB).
    if (process.env.IOENGINE_TEST_SANITIZED) skip(this, 'because memory under AddressSanitizer says nothing');
    // Sparse: reading it costs no disk space, and as much memory as any other file.
    fs.writeFileSync(inDirectory('from'), '');
    fs.truncateSync(inDirectory('from'), PASS_BYTES);
  });

  for (const [mode, options] of Object.entries({ buffered: {}, direct: { direct: 'try' } })) {
    it(`${mode}: copying ${(PASSES * PASS_BYTES) / MIB} MiB takes a bounded amount, and the last part no more than the first`, async () => {
      const child = await runChild({
        code,
        args: [inDirectory(), JSON.stringify(options), String(PASSES)],
      });
      expect(child.status, child.describe()).to.equal(0);
      const { rss, peak } = child.json();
      expect(peak - rss[0], `peak, ${rss}`).to.be.below(PEAK_BYTES);
      expect(rss.at(-1) - rss[1], `growth, ${rss}`).to.be.below(GROWTH_BYTES);
    });
  }
});
