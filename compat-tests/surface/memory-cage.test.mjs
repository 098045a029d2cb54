// Electron's memory cage refuses memory that V8 has not allocated (napi_no_external_buffers_allowed). Here a copy of
// the addon gets that answer from a library in front of Node. Red where alignedBuffer then gives nothing, or memory
// that is not aligned, and where anything else turns out to need external memory.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { addonFile, inRoot } from '../../scripts/lib/paths.mjs';
import { hasProgram, run } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

/** As long as each other: one takes the place of the other in the table of names. */
const CALL = 'napi_create_external_buffer';
const REFUSAL = 'napi_refuse_external_buffer';

describe('surface: a memory cage, in which external memory is refused', () => {
  let folder;
  let env;

  before(function () {
    if (process.env.IOENGINE_TEST_SANITIZED === '1') skip(this, 'because sanitized runs have a preload of their own');
    if (!hasProgram('gcc')) skip(this, 'because the program gcc is not installed');
    folder = temporaryDirectory();
    const library = path.join(folder, 'cage.so');
    const source = inRoot('compat-tests', 'fixtures', 'memory_cage.c');
    run('gcc', ['-O1', '-shared', '-fPIC', '-Wall', '-Wextra', '-o', library, source]);
    const addon = path.join(folder, 'ioengine.node');
    const whole = fs.readFileSync(process.env.IOENGINE_ADDON || addonFile);
    const names = [...whole.toString('latin1').matchAll(new RegExp(`\\0${CALL}\\0`, 'g'))];
    expect(names.length).to.be.above(0);
    for (const { index } of names) whole.write(REFUSAL, index + 1, 'latin1');
    fs.writeFileSync(addon, whole);
    env = { IOENGINE_ADDON: addon, LD_PRELOAD: library, IOENGINE_BACKEND: undefined };
  });
  after(() => folder && removeDirectory(folder));

  it('alignedBuffer takes a larger Buffer and gives its aligned part; O_DIRECT, copies and streams work', async () => {
    const child = await runChild({
      code: `
        import { alignedBuffer, backend } from 'ioengine';
        import fs from 'ioengine/fs';
        const seen = [];
        for (const size of [1, 511, 4096, 65_536, 1_000_003]) {
          const memory = alignedBuffer(size);
          memory.fill(7);
          const isLarger = memory.buffer.byteLength >= size + 4096;
          seen.push([memory.length === size, isLarger, memory.every((byte) => byte === 7)]);
        }
        const [file, copy] = ['file', 'copy'].map((name) => ${JSON.stringify(path.join(folder, 'x'))} + name);
        const content = Buffer.alloc(1_000_003, 'some content ');
        await new Promise((resolve, reject) => {
          fs.createWriteStream(file, { direct: 'try' }).on('error', reject).on('finish', resolve).end(content);
        });
        const handle = await fs.open(file, { flags: 'r', direct: 'try' });
        const memory = alignedBuffer(1_048_576);
        const { bytesRead } = await handle.read(memory, 0, memory.length, 0);
        await handle.close();
        await fs.promises.copyFile(file, copy);
        let streamed = 0;
        for await (const chunk of fs.createReadStream(copy)) streamed += chunk.length;
        console.log(JSON.stringify({
          seen: [...new Set(seen.flat())],
          addon: process.report.getReport().sharedObjects.filter((name) => name.endsWith('ioengine.node')),
          engine: backend().name !== 'node',
          read: memory.subarray(0, bytesRead).equals(content),
          streamed,
          names: await fs.promises.readdir(${JSON.stringify(folder)}),
        }));`,
      env,
    });
    const { addon, names, ...rest } = child.json();
    expect(addon).to.deep.equal([env.IOENGINE_ADDON]);
    expect(names).to.include.members(['xfile', 'xcopy']);
    expect(rest, child.describe()).to.deep.equal({ seen: [true], engine: true, read: true, streamed: 1_000_003 });
  });

  it('the memory is aligned all the same', async () => {
    const child = await runChild({
      code: `
        import { createRequire } from 'node:module';
        const { $load } = createRequire(${JSON.stringify(inRoot('package.json'))})('./dist/rest.js');
        const { alignedBuffer } = $load('engine/aligned-buffer');
        const { misalignment } = $load('native/addon').addon();
        console.log(JSON.stringify([1, 4095, 4096, 70_000].map((size) => misalignment(alignedBuffer(size)))));`,
      env,
    });
    expect(child.json(), child.describe()).to.deep.equal([0, 0, 0, 0]);
  });
});
