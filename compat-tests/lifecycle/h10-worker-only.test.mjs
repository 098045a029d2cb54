// H10: Node unloads the addon when the last worker that loaded it ends; a native thread still running then, or a uv
// handle still open, kills the process (SIGSEGV, exit 134).
// Rule: the teardown joins threads and closes uv handles, and the addon is linked -Wl,-z,nodelete. Red when the handles
// stay open: the process aborts. Threads that are not joined may get away with it here: h10-threads.test.mjs.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { writeTagged } from './support/tagged.mjs';

const code = (body, end) => `
  import { Worker } from 'node:worker_threads';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { once } from 'node:events';
  const source = \`
    const { parentPort, workerData } = require('node:worker_threads');
    const fs = require('ioengine/fs');
    (async () => { ${body} parentPort.postMessage('done'); ${end === 'terminate' ? 'setInterval(() => {}, 1000);' : ''} })();\`;
  for (let round = 0; round < 4; round++) {
    const worker = new Worker(source, { eval: true, execArgv: [], workerData: process.argv[1] });
    const exited = once(worker, 'exit');
    await once(worker, 'message');
    ${end === 'terminate' ? 'await worker.terminate();' : 'await exited;'}
    await sleep(150);
  }
  console.log(JSON.stringify('survived'));`;

describe('H10: the addon is loaded in workers only', () => {
  const directory = temporaryDirectory();
  const file = writeTagged(path.join(directory, 'a'), 10, 16);
  after(() => removeDirectory(directory));

  const bodies = {
    'nothing was done': '',
    'reads were done': `
      const handle = await fs.open(workerData, { flags: 'r', direct: 'try' });
      await Promise.all(Array.from({ length: 8 }, (_, i) => handle.read(Buffer.alloc(4096), 0, 4096, i * 8192)));
      await handle.close();`,
    'a handle and reads were left behind': `
      const handle = await fs.open(workerData, { flags: 'r', direct: 'try' });
      for (let i = 0; i < 8; i++) handle.read(Buffer.alloc(4096), 0, 4096, i * 8192).catch(() => {});`,
  };
  for (const [what, body] of Object.entries(bodies)) {
    for (const end of ['terminate', 'exit']) {
      it(`${what}, then ${end === 'exit' ? 'the worker ends by itself' : 'terminate()'}`, async () => {
        const child = await runChild({ code: code(body, end), args: [file] });
        expect(child.status, child.describe()).to.equal(0);
        expect(child.json()).to.equal('survived');
      });
    }
  }

  it('the main thread can still load and use it afterwards', async () => {
    const after = `${code(bodies['reads were done'], 'terminate')}
      const { default: fs } = await import('ioengine/fs');
      const bytes = await fs.promises.readFile(process.argv[1]);
      console.log(JSON.stringify(bytes.length));`;
    const child = await runChild({ code: after, args: [file] });
    expect(child.status, child.describe()).to.equal(0);
    expect(child.json()).to.equal(fs.statSync(file).size);
  });
});
