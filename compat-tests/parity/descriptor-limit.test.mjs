// Descriptors at their limit, and libuv's pool at its own: a call needs what node needs for it and no more, and what
// failed for want of one works as ever when there is one again.
import { expect } from 'chai';
import { runChild } from '../helpers/child.mjs';
import { sameInChild } from './support/child.mjs';

/** What the engine opens: at most a wake-up, a ring, and a pipe, whose second end it closes again. */
const OWN_DESCRIPTORS_MAX = 4;
const LIMIT = 60;
const wrap = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`];

const limited = (code) => `
  import { execFileSync } from 'node:child_process';
  import nodeFs from 'node:fs';
  import ours from 'ioengine/fs';
  import { stats } from 'ioengine';
  execFileSync('prlimit', ['--nofile=${LIMIT}:${LIMIT}', '--pid', String(process.pid)]);
  const held = [];
  const hold = () => { try { for (;;) held.push(nodeFs.openSync('/dev/null')); } catch {} };
  const release = () => { while (held.length > 0) nodeFs.closeSync(held.pop()); };
  await ours.promises.access('/');
  ${code}
`;

describe('parity: descriptors at their limit', () => {
  it('the first FileHandle of a program needs one descriptor, and so do those after it', () =>
    sameInChild(
      `
      fs.writeFileSync(dir + '/file', 'content');
      await fsp.stat(dir + '/file');
      await fsp.readFile(dir + '/file');
      const held = [];
      try { for (;;) held.push(fs.openSync('/dev/null')); } catch {}
      fs.closeSync(held.pop());
      for (let i = 0; i < 3; i++) {
        const handle = await fsp.open(dir + '/file').catch((error) => log(error.code, error.path));
        log(handle && await handle.readFile('utf8'));
        await handle?.close();
      }
      log(await fsp.readFile(dir).catch((error) => error.message));
      held.forEach((fd) => fs.closeSync(fd));
      log(await fsp.readFile(dir).catch((error) => error.message));
      const handle = await fsp.open(dir + '/new', 'wx', 0o444);
      log((await handle.write('x')).bytesWritten, handle.constructor.name);
      `,
      { wrap },
    ));

  it('of many opens at once as many succeed as with node, but for the descriptors of the engine', async () => {
    const code = limited(`
      const fs = process.argv[1] === 'node' ? nodeFs : ours;
      const opens = Array.from({ length: 200 }, () => fs.promises.open('package.json'));
      const settled = await Promise.allSettled(opens);
      const opened = settled.filter(({ status }) => status === 'fulfilled');
      console.log(JSON.stringify(opened.length));
      for (const { value } of opened) await value.close();
    `);
    const [wanted, opened] = [await runChild({ code, args: ['node'] }), await runChild({ code, args: ['ours'] })];
    expect(opened.json(), opened.stderr)
      .to.be.at.least(wanted.json() - OWN_DESCRIPTORS_MAX)
      .and.above(0);
  });

  for (let free = 0; free <= OWN_DESCRIPTORS_MAX + 1; free++) {
    it(`an engine that finds ${free} free at its start takes the backend that it takes otherwise, at once or later`, async () => {
      const code = `
        import { execFileSync } from 'node:child_process';
        import nodeFs from 'node:fs';
        import { backend } from 'ioengine';
        import ours from 'ioengine/fs';
        if (process.argv[1] === 'limited') {
          execFileSync('prlimit', ['--nofile=${LIMIT}:${LIMIT}', '--pid', String(process.pid)]);
          const held = [];
          try { for (;;) held.push(nodeFs.openSync('/dev/null')); } catch {}
          for (let i = 0; i < ${free}; i++) nodeFs.closeSync(held.pop());
          await ours.promises.stat('/');
          for (const fd of held) nodeFs.closeSync(fd);
        }
        await ours.promises.stat('/');
        console.log(JSON.stringify([backend().name, backend().reason]));
      `;
      // A backend that is asked for by name is started at import.
      const env = { IOENGINE_BACKEND: 'auto' };
      const [otherwise, limited] = [await runChild({ code, env }), await runChild({ code, env, args: ['limited'] })];
      expect(limited.json(), limited.stderr).to.deep.equal(otherwise.json());
      expect(limited.stderr).to.equal('');
    });
  }

  it('what failed for want of a descriptor is served by the engine when there is one', async () => {
    const child = await runChild({
      code: limited(`
        hold();
        const failed = await ours.promises.readdir('.', { withFileTypes: true }).catch((error) => error.code);
        const opened = await ours.promises.open('package.json').catch((error) => error.code);
        release();
        const before = stats().lanes.delegated.operations;
        await ours.promises.readdir('.', { withFileTypes: true });
        const handle = await ours.promises.open('package.json');
        await handle.read(Buffer.alloc(8), 0, 8, 0);
        await handle.close();
        console.log(JSON.stringify({ failed, opened, delegated: stats().lanes.delegated.operations - before }));
      `),
    });
    expect(child.json(), child.stderr).to.deep.equal({ failed: 'EMFILE', opened: 'EMFILE', delegated: 0 });
  });
});

describe("parity: the parts of node's FileHandle", () => {
  it("are there while all threads of libuv's pool are busy", async () => {
    const child = await runChild({
      code: `
        import { execFileSync } from 'node:child_process';
        import nodeFs from 'node:fs';
        import os from 'node:os';
        import ours from 'ioengine/fs';
        const pipe = nodeFs.mkdtempSync(os.tmpdir() + '/ioengine-pipe-') + '/pipe';
        execFileSync('mkfifo', [pipe]);
        let released = false;
        // Holds the only thread until somebody writes.
        const waits = new Promise((resolve) => nodeFs.open(pipe, 'r', (error, fd) => resolve((released = true))));
        const release = setTimeout(() => nodeFs.openSync(pipe, 'w'), 5000);
        const handle = await ours.promises.open('package.json');
        console.log(JSON.stringify({ released }));
        clearTimeout(release);
        nodeFs.openSync(pipe, 'r+');
        await waits;
        nodeFs.rmSync(pipe);
        process.exit();
      `,
      env: { UV_THREADPOOL_SIZE: '1' },
    });
    expect(child.json(), child.stderr).to.deep.equal({ released: false });
  });

  it('are taken without a warning', async () => {
    const child = await runChild({
      code: `
        import fs from 'ioengine/fs';
        const handle = await fs.promises.open('package.json');
        console.log(JSON.stringify('noDeprecation' in process));
        await handle.close();
      `,
      nodeArgs: ['--pending-deprecation', '--throw-deprecation'],
    });
    expect([child.json(), child.stderr]).to.deep.equal([false, '']);
  });

  it('are those of the first handle where process.binding is closed', async () => {
    const child = await runChild({
      code: `
        process.binding = () => { throw new Error('closed'); };
        const { default: fs } = await import('ioengine/fs');
        const { stats } = await import('ioengine');
        const delegated = () => stats().lanes.delegated.operations;
        const seen = [];
        for (let i = 0; i < 3; i++) {
          const before = delegated();
          const handle = await fs.promises.open('package.json');
          seen.push(delegated() - before, (await handle.read(Buffer.alloc(8))).bytesRead);
          await handle.close();
        }
        console.log(JSON.stringify(seen));
      `,
    });
    expect(child.json(), child.stderr).to.deep.equal([1, 8, 0, 8, 0, 8]);
  });
});
