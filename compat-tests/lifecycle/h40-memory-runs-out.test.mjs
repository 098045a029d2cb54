// H40: aligned memory where the process runs out of something: of mappings, which unmapping splits until
// vm.max_map_count; of address space, which a limit (ulimit -v) takes away or ever new sizes use up. Rule: giving back
// never fails, gaps coalesce, and memory that only helps a read has plain memory to fall back on. Red when the process
// aborts, or when a read fails with ENOMEM that node's fs carries out.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { repositoryRoot, runChild } from '../helpers/child.mjs';
import { evict } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const SIZE = 256 * 1024;

describe('H40: memory runs out', () => {
  let directory;
  let file;
  before(() => {
    directory = temporaryDirectory();
    file = path.join(directory, 'cold');
    nodeFs.writeFileSync(file, Buffer.alloc(SIZE, 'cold'));
  });
  after(() => removeDirectory(directory));

  it('every other one of 110,000 buffers is given back', async () => {
    const child = await runChild({
      nodeArgs: ['--expose-gc'],
      code: `
        import nodeFs from 'node:fs';
        import { alignedBuffer } from 'ioengine';
        const mappings = () => nodeFs.readFileSync('/proc/self/maps', 'latin1').split('\\n').length;
        const buffers = [];
        for (let i = 0; i < 110_000; i++) buffers.push(alignedBuffer(4096));
        const before = mappings();
        for (let i = 0; i < buffers.length; i += 2) buffers[i] = undefined;
        for (let i = 0; i < 6; i++) { gc(); await new Promise(setImmediate); }
        const after = mappings();
        buffers[1].fill(1);
        console.log(JSON.stringify({ before, after }));`,
    });
    expect(child.status, child.describe()).to.equal(0);
    const { before: mapped, after: left } = child.json();
    expect(left, `mappings, of ${mapped}`).to.be.below(mapped + 1000);
  });

  it('ever new sizes use no address space up', async () => {
    const child = await runChild({
      nodeArgs: ['--expose-gc'],
      code: `
        import { alignedBuffer } from 'ioengine';
        let ours = 0;
        for (let i = 0; i < 1000; i++) {
          const size = (100 << 20) + 4096 * (i + 1);
          // Memory of our own is as large as the buffer, what replaces it is larger.
          if (alignedBuffer(size).buffer.byteLength === size) ours++;
          if (i % 10 === 9) { gc(); await new Promise(setImmediate); }
        }
        console.log(JSON.stringify({ ours }));`,
    });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.json().ours).to.equal(1000);
  });

  const read = (module, buffered) => `
    import fs from '${module}';
    const handle = await fs.promises.open(process.argv[1], ${buffered ? "'r'" : 'fs.constants.O_RDONLY | fs.constants.O_DIRECT'});
    const answers = [];
    for (const size of [1, 4096, 65536, 131072, 262144]) {
      const buffer = Buffer.alloc(size);
      const { bytesRead } = await handle.read(buffer, 0, size, 0).catch((error) => ({ bytesRead: error.code }));
      answers.push([bytesRead, buffer.toString('latin1', 0, 4)]);
    }
    await handle.close();
    console.log(JSON.stringify(answers));`;
  const expected = [1, 4096, 65536, 131072, 262144].map((size) => [
    size,
    'cold'.slice(0, size).padEnd(Math.min(size, 4)),
  ]);

  /** The last line that a script prints under a limit on address space; undefined when it does not end well. */
  function underLimit(MiB, code) {
    evict(file);
    try {
      const line = `ulimit -v ${MiB * 1024}; exec "$0" --input-type=module -e "$1" -- "$2"`;
      const options = { cwd: repositoryRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
      return JSON.parse(execFileSync('sh', ['-c', line, process.execPath, code, file], options));
    } catch (error) {
      return error.message;
    }
  }

  for (const MiB of [800, 1000, 1500]) {
    for (const buffered of [true, false]) {
      it(`a cold ${buffered ? '' : 'O_DIRECT '}read with ${MiB} MiB of address space`, function () {
        const node = underLimit(MiB, read('node:fs', true));
        if (typeof node === 'string')
          skip(this, `because node itself does not run with ${MiB} MiB: ${node.slice(0, 80)}`);
        expect(node).to.deep.equal(expected);
        const ours = underLimit(MiB, read('ioengine/fs', buffered));
        if (!buffered && /EINVAL/.test(ours)) skip(this, 'because the folder for temporary files takes no O_DIRECT');
        expect(ours).to.deep.equal(expected);
      });
    }
  }
});
