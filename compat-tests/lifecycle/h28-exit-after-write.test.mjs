// H28: after fs.write and process.exit() (or a throw) node had always written everything (200 of 200); a flush that
// waits for the event loop loses it, and delays I/O behind busy JavaScript.
// Rule: the first request of an idle engine goes to the kernel at once, and exit(3) waits for accepted writes, without
// any listener that a program could remove or come after. Red when a write waits for the end of the turn and nothing
// flushes it at exit, and when that is done by a listener of process.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { runChild, runChildren } from '../helpers/child.mjs';
import { sharedSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const TEXT = 'written before the end';
// `auto` runs the very engine that has been through all of them under its own name.
const TIMES = backendUnderTest === 'auto' ? 18 : 48;
const ends = {
  'process.exit()': 'process.exit(0);',
  'a throw': `throw new Error('on purpose');`,
};

// Each child writes its own file; the ways in take turns.
const writes = [
  `fs.write(fs.openSync(process.argv[1], 'w'), '${TEXT}', () => {});`,
  `fs.write(fs.openSync(process.argv[1], 'w'), Buffer.from('${TEXT}'), 0, ${TEXT.length}, 0, () => {});`,
  `fs.writev(fs.openSync(process.argv[1], 'w'), [Buffer.from('${TEXT.slice(0, 8)}'), Buffer.from('${TEXT.slice(8)}')], () => {});`,
  `(await fs.promises.open(process.argv[1], 'w')).write('${TEXT}');`,
  `fs.writeFile(process.argv[1], '${TEXT}', () => {});`,
  `fs.promises.appendFile(process.argv[1], '${TEXT}');`,
];

describe('H28: writes that were accepted before the process ends', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  for (const [name, end] of Object.entries(ends)) {
    it(`${name} right after one write, ${TIMES} times: all are on disk`, async () => {
      const fileOf = (i) => path.join(directory, `${name}-${i}`.replaceAll(/\W/g, '-'));
      const children = await runChildren(TIMES, (i) => ({
        code: `import fs from 'ioengine/fs'; ${writes[i % writes.length]} ${end}`,
        args: [fileOf(i)],
      }));
      for (const child of children) expect(child.timedOut, child.describe()).to.equal(false);
      const lost = children.map((_, i) => i).filter((i) => nodeFs.readFileSync(fileOf(i), 'latin1') !== TEXT);
      expect(lost, 'children whose write was lost').to.deep.equal([]);
      const status = name === 'a throw' ? 1 : 0;
      expect([...new Set(children.map((child) => child.status))], children[0].describe()).to.deep.equal([status]);
    });
  }

  it('process.exit() right after a whole writeFile: complete, where node up to 24 leaves an empty file', async () => {
    const [major] = process.versions.node.split('.');
    for (const [subject, whole] of [
      ['node:fs', Number(major) >= 26],
      ['ioengine/fs', true],
    ]) {
      const file = path.join(directory, 'whole');
      nodeFs.rmSync(file, { force: true });
      const child = await runChild({
        args: [file],
        code: `
          import fs from '${subject}';
          process.removeAllListeners();
          fs.promises.writeFile(process.argv[1], '${TEXT}');
          process.exit(0);`,
      });
      expect(child.status, child.describe()).to.equal(0);
      expect(nodeFs.readFileSync(file, 'latin1'), subject).to.equal(whole ? TEXT : '');
    }
  });

  it('64 writes to 64 files, then process.exit(): all are on disk', async () => {
    const folder = path.join(directory, 'many');
    nodeFs.mkdirSync(folder);
    const child = await runChild({
      args: [folder],
      code: `
        import fs from 'ioengine/fs';
        for (let i = 0; i < 64; i++) fs.write(fs.openSync(process.argv[1] + '/' + i, 'w'), '${TEXT}', () => {});
        process.exit(0);`,
    });
    expect(child.status, child.describe()).to.equal(0);
    for (let i = 0; i < 64; i++) expect(nodeFs.readFileSync(path.join(folder, String(i)), 'latin1')).to.equal(TEXT);
  });

  it('a direct write to the slow disk, then process.exit(): the process waits for it', async function () {
    const disk = await sharedSlowDisk();
    if (disk.skipped) skip(this, disk.skipped);
    const file = path.join(disk.mountPoint, 'exit-write');
    nodeFs.writeFileSync(file, Buffer.alloc(4096, 0x30));
    execFileSync('sync', [file]);
    disk.setWriteDelayMs(200);
    const child = await runChild({
      args: [file],
      code: `
        import fs from 'ioengine/fs';
        const handle = await fs.open(process.argv[1], { flags: 'r+', direct: true });
        handle.write(Buffer.alloc(4096, 0x31), 0, 4096, 0);
        process.exit(5);`,
    });
    disk.reset();
    expect(child.status, child.describe()).to.equal(5);
    expect(nodeFs.readFileSync(file).every((byte) => byte === 0x31)).to.equal(true);
  });

  it("an 'exit' listener of the application still runs, and may write too", async () => {
    const file = path.join(directory, 'listener');
    const child = await runChild({
      args: [file],
      code: `
        import fs from 'ioengine/fs';
        process.on('exit', () => fs.write(fs.openSync(process.argv[1], 'w'), '${TEXT}', () => {}));
        fs.write(fs.openSync(process.argv[1] + '-first', 'w'), '${TEXT}', () => {});
        process.exit(0);`,
    });
    expect(child.status, child.describe()).to.equal(0);
    expect(nodeFs.readFileSync(`${file}-first`, 'latin1')).to.equal(TEXT);
    expect(nodeFs.readFileSync(file, 'latin1')).to.equal(TEXT);
  });

  // More than the pool's threads can have begun by then.
  const PIECES = 24;
  const PIECE_BYTES = 1024 * 1024;
  const writeMany = `
    const bytes = Buffer.alloc(${PIECE_BYTES}, 'b');
    const writeMany = (fd) => {
      for (let i = 0; i < ${PIECES}; i++) fs.write(fd, bytes, 0, bytes.length, i * bytes.length, () => {});
    };`;
  // `run` is code with fs, fd and writeMany; the way out is its own.
  const situations = {
    'in a listener that came last, process.exit()': `
      fs.write(fd, 'a', 0, 'utf8', () => {
        process.on('exit', () => writeMany(fd));
        process.exit(0);
      });`,
    'in a listener that came last, with nothing left to do': `
      fs.write(fd, 'a', 0, 'utf8', () => process.on('exit', () => writeMany(fd)));`,
    'process.exit() without any listeners': `
      fs.write(fd, 'a', 0, 'utf8', () => {
        process.removeAllListeners();
        writeMany(fd);
        process.exit(0);
      });`,
    'a throw without any listeners': `
      fs.write(fd, 'a', 0, 'utf8', () => {
        process.removeAllListeners();
        writeMany(fd);
        throw new Error('on purpose');
      });`,
    'an unhandled rejection without any listeners': `
      fs.write(fd, 'a', 0, 'utf8', () => {
        process.removeAllListeners();
        writeMany(fd);
        Promise.reject(new Error('on purpose'));
      });`,
    'process.reallyExit(), which tells no listener': `
      fs.write(fd, 'a', 0, 'utf8', () => {
        writeMany(fd);
        process.reallyExit(0);
      });`,
  };
  for (const [situation, run] of Object.entries(situations)) {
    it(`24 large writes ${situation}: all are on disk`, async () => {
      const file = path.join(directory, 'many-at-exit');
      for (let round = 0; round < 3; round++) {
        nodeFs.writeFileSync(file, '');
        const child = await runChild({
          args: [file],
          code: `
            import nodeFs from 'node:fs';
            import fs from 'ioengine/fs';
            const fd = nodeFs.openSync(process.argv[1], 'r+');
            ${writeMany}
            ${run}`,
        });
        expect(child.signal, child.describe()).to.equal(null);
        const written = nodeFs.readFileSync(file);
        expect(written.length, child.describe()).to.equal(PIECES * PIECE_BYTES);
        expect(written.every((byte) => byte === 0x62)).to.equal(true);
      }
    });
  }

  it('of two copies of the package in one thread, and in a Worker that exits: all are on disk', async () => {
    const folder = path.join(directory, 'copies');
    nodeFs.mkdirSync(folder);
    const child = await runChild({
      args: [folder],
      code: `
        import nodeFs from 'node:fs';
        import { createRequire } from 'node:module';
        import { Worker } from 'node:worker_threads';
        const require = createRequire(process.cwd() + '/');
        const copies = [require('ioengine/fs')];
        for (const key of Object.keys(require.cache)) delete require.cache[key];
        copies.push(require('ioengine/fs'));
        const write = (nodeFs, fs, file) => {
          const fd = nodeFs.openSync(file, 'w');
          const bytes = Buffer.alloc(${PIECE_BYTES}, 'b');
          return new Promise((done) => fs.write(fd, 'b', 0, 'utf8', () => {
            for (let i = 0; i < ${PIECES}; i++) fs.write(fd, bytes, 0, bytes.length, i * bytes.length, () => {});
            done();
          }));
        };
        if (copies[0] === copies[1]) throw new Error('there is only one copy');
        const worker = new Worker(\`
          const write = \${write};
          Promise.all([import('node:fs'), import('ioengine/fs')])
            .then(([nodeFs, fs]) => write(nodeFs.default, fs.default, process.argv.at(-1)))
            .then(() => { process.removeAllListeners(); process.exit(0); });
        \`, { eval: true, argv: [process.argv[1] + '/worker'] });
        worker.on('exit', async () => {
          await Promise.all(copies.map((fs, i) => write(nodeFs, fs, process.argv[1] + '/copy' + i)));
          process.removeAllListeners();
          process.exit(0);
        });
      `,
    });
    expect(child.status, child.describe()).to.equal(0);
    const sizes = nodeFs.readdirSync(folder).map((name) => nodeFs.statSync(path.join(folder, name)).size);
    expect(sizes).to.deep.equal(Array(3).fill(PIECES * PIECE_BYTES));
  });

  for (const [name, body] of Object.entries({
    'one write': `fs.write(fd, '${TEXT}', () => {});`,
    'a write by a FileHandle': `handle.write('${TEXT}');`,
  })) {
    it(`${name} makes progress while JavaScript is busy`, async () => {
      const child = await runChild({
        args: [path.join(directory, `busy-${name}`)],
        code: `
          import nodeFs from 'node:fs';
          import fs from 'ioengine/fs';
          const handle = await fs.promises.open(process.argv[1], 'w');
          const { fd } = handle;
          await new Promise((resolve) => setTimeout(resolve, 20)); // the engine is idle now
          ${body}
          const started = performance.now();
          let seenMs = -1;
          while (seenMs < 0 && performance.now() - started < 20_000) {
            if (nodeFs.fstatSync(fd).size === ${TEXT.length}) seenMs = performance.now() - started;
          }
          console.log(JSON.stringify(seenMs));`,
      });
      expect(child.status, child.describe()).to.equal(0);
      expect(child.json(), 'ms until the file had grown, seen from the busy thread').to.be.at.least(0);
    });
  }
});
