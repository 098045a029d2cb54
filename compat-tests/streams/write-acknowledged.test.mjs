// What a write stream says of its bytes: nothing that a program can see (a callback, 'drain', writableLength,
// bytesWritten, 'finish') says "written" before the kernel has them (H35), and a process that dies loses no more than
// with node. Red when chunks are acknowledged once they are in memory.
import fs from 'node:fs';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { SIDES } from '../helpers/oracle.mjs';
import { patternBytes } from '../helpers/tempdir.mjs';
import { engineDirectory } from './support/engine-suite.mjs';
import { closed } from './support/events.mjs';

const MIB = 1024 * 1024;
const { fs: ours } = SIDES.find((side) => side.name === 'ours');
const content = patternBytes(8 * MIB + 4321, 33);

const modes = { buffered: {}, direct: { direct: 'try' } };
const places = {
  'a new file': { flags: 'w' },
  'a new file, from 0': { flags: 'w', start: 0 },
  'the middle of a file': { flags: 'r+', start: 123_457 },
  'an aligned place in a file': { flags: 'r+', start: 8192 },
  'a file from its beginning': { flags: 'r+' },
  'the end of a file': { flags: 'a' },
};
const sizes = {
  lines: { total: 300_000, of: (i) => 60 + (i % 90) },
  'chunks of 64 KiB': { total: 4 * MIB, of: () => 65_536 },
  'chunks of any size': { total: 6 * MIB, of: (i) => 1 + ((i * 7919) % 200_003) },
  'large chunks and small ones': { total: 8 * MIB, of: (i) => (i % 3 === 0 ? 2 * MIB + 17 : 333) },
};

/** `written` bytes are acknowledged: are they in the file, from `start` on? */
function expectInFile(file, start, written, said) {
  const found = fs.readFileSync(file).subarray(start, start + written);
  expect(found.length, `${said}: bytes in the file`).to.equal(written);
  expect(found.equals(content.subarray(0, written)), `${said}: what is in the file`).to.equal(true);
}

describe('streams: what is said to be written is in the file', function () {
  this.timeout(60_000);
  const inDirectory = engineDirectory();

  for (const [mode, options] of Object.entries(modes)) {
    for (const [place, where] of Object.entries(places)) {
      for (const [kind, { total, of }] of Object.entries(sizes)) {
        it(`${mode}, ${place}, ${kind}`, async () => {
          const file = inDirectory('said');
          const old = patternBytes(3 * MIB, 2);
          fs.writeFileSync(file, where.flags === 'w' ? '' : old);
          const start = where.flags === 'a' ? old.length : (where.start ?? 0);
          const stream = ours.createWriteStream(file, { ...options, ...where });
          const memory = Buffer.from(content.subarray(0, total));
          let given = 0;
          let looks = 0;
          const look = (said) => {
            looks++;
            expectInFile(file, start, given - stream.writableLength, said);
            expect(stream.bytesWritten, 'bytesWritten').to.be.at.least(given - stream.writableLength);
            if (where.flags !== 'r+') expect(stream.bytesWritten).to.be.at.most(fs.statSync(file).size - start);
          };
          for (let i = 0; given < total; i++) {
            const piece = memory.subarray(given, Math.min(total, given + of(i)));
            given += piece.length;
            const upTo = given;
            const callback = i % 50 === 7 ? () => expectInFile(file, start, upTo, 'callback') : undefined;
            if (stream.write(piece, callback)) continue;
            await new Promise((resolve) => stream.once('drain', resolve));
            if (i % 3 === 0 || of(i) > 1000) look("'drain'");
          }
          // Whatever is left becomes less and less, turn by turn.
          while (stream.writableLength > 0) {
            await new Promise((resolve) => setImmediate(resolve));
            look('writableLength');
          }
          expect(looks).to.be.above(2);
          stream.end();
          await new Promise((resolve) => stream.once('finish', resolve));
          expectInFile(file, start, total, "'finish'");
          await closed(stream);
          expect(stream.bytesWritten).to.equal(total);
          const all = fs.readFileSync(file);
          expect(all.length).to.equal(where.flags === 'r+' ? Math.max(old.length, start + total) : start + total);
          if (where.flags === 'r+')
            expect(all.subarray(start + total).equals(old.subarray(start + total))).to.equal(true);
          if (where.flags !== 'w') expect(all.subarray(0, start).equals(old.subarray(0, start))).to.equal(true);
        });
      }
    }
  }

  const ends = {
    SIGKILL: `process.kill(process.pid, 'SIGKILL');`,
    'process.abort()': `process.abort();`,
    'process.exit()': `process.exit(0);`,
    'process.exit() without listeners': `process.removeAllListeners(); process.exit(0);`,
    'process.exit() in a listener put first': `process.prependListener('exit', () => process.reallyExit(0)); process.exit(0);`,
    'a throw without listeners': `process.removeAllListeners(); throw new Error('on purpose');`,
  };
  const subjects = {
    node: { module: 'node:fs', options: {} },
    import: { module: 'ioengine/fs', options: {} },
    'import, direct': { module: 'ioengine/fs', options: { direct: 'try' } },
    register: { module: 'node:fs', options: {}, nodeArgs: ['--import', 'ioengine/register'] },
    'register, writeBehind': {
      module: 'node:fs',
      options: { writeBehind: MIB },
      nodeArgs: ['--import', 'ioengine/register'],
    },
  };
  for (const [end, code] of Object.entries(ends)) {
    it(`${end} once the stream holds nothing any more: all is in the file, as with node`, async () => {
      for (const [name, { module, options, nodeArgs }] of Object.entries(subjects)) {
        const file = inDirectory('ended');
        fs.writeFileSync(file, '');
        const child = await runChild({
          args: [file],
          nodeArgs,
          code: `
            import fs from '${module}';
            const stream = fs.createWriteStream(process.argv[1], ${JSON.stringify(options)});
            await new Promise((resolve) => stream.write('first\\n', resolve));
            for (let i = 0; i < 300; i++) stream.write('y'.repeat(100));
            while (stream.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
            ${code}`,
        });
        expect(child.timedOut, child.describe()).to.equal(false);
        expect(fs.statSync(file).size, `${name}: ${child.describe()}`).to.equal(30_006);
      }
    });
  }

  it('direct: what is no whole block does not take the rest through the page cache', async function () {
    const file = inDirectory('apart');
    const stream = ours.createWriteStream(file, { direct: 'try' });
    await new Promise((resolve) => stream.once('open', resolve));
    const flags = /flags:\s*([0-7]+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${stream.fd}`, 'latin1'))[1];
    if ((Number.parseInt(flags, 8) & fs.constants.O_DIRECT) === 0) {
      stream.destroy();
      skip(this, 'because the filesystem here takes no O_DIRECT');
    }
    const { stats } = await import('ioengine');
    const direct = () => {
      const { lanes } = stats();
      return lanes.uring.bytes + lanes.aio.bytes;
    };
    const before = direct();
    const started = fs.fstatSync(stream.fd).size;
    for (let i = 0; i < 16; i++) {
      await new Promise((resolve) => stream.write(content.subarray(i * 100_001, (i + 1) * 100_001), resolve));
    }
    stream.end();
    await closed(stream);
    expect(started).to.equal(0);
    expect(fs.readFileSync(file).equals(content.subarray(0, 16 * 100_001))).to.equal(true);
    const moved = direct() - before;
    if (process.env.IOENGINE_BACKEND === 'uring') expect(moved, 'bytes past the page cache').to.be.above(1_400_000);
  });

  it('an error in the middle of a chunk: the file is a prefix, and the stream says as much as with node', async () => {
    const results = {};
    for (const [name, { module, options, nodeArgs }] of Object.entries(subjects)) {
      const file = inDirectory('limit');
      fs.rmSync(file, { force: true });
      const child = await runChild({
        args: [file],
        nodeArgs,
        code: `
          import fs from '${module}';
          import { execFileSync } from 'node:child_process';
          const stream = fs.createWriteStream(process.argv[1], ${JSON.stringify(options)});
          await new Promise((resolve) => stream.once('open', resolve));
          execFileSync('prlimit', ['--fsize=298496', '--pid', String(process.pid)]);
          const events = [];
          stream.on('error', (error) => events.push(error.code + ' ' + error.syscall));
          for (const event of ['drain', 'finish', 'close']) stream.on(event, () => events.push(event));
          const callbacks = [];
          const line = Buffer.alloc(100, 'z');
          for (let i = 0; i < 4000; i++) stream.write(line, i % 500 === 0 ? (e) => callbacks.push(i, e?.code) : undefined);
          await new Promise((resolve) => stream.once('close', resolve));
          console.log(JSON.stringify({ events, callbacks, size: fs.statSync(process.argv[1]).size }));`,
      });
      expect(child.status, `${name}: ${child.describe()}`).to.equal(0);
      results[name] = child.json();
    }
    for (const name of Object.keys(subjects)) expect(results[name], name).to.deep.equal(results.node);
  });
});
