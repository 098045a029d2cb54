// H33: the fuse of the inline lane. A permission listener of fanotify(7), a virus scanner, is waited for in the middle
// of an open whose path is in memory, and nothing tells of it beforehand. Rule: the first such call costs what it
// costs; from then on the pool opens what is on that mount, for longer each time, and stats() shows it. Red when the
// next call waits on the JavaScript thread as well.
import { spawn } from 'node:child_process';
import nodeFs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { stats } from 'ioengine';
import { hasProgram, Resource, run } from '../fixtures/resource.mjs';
import { repositoryRoot } from '../helpers/child.mjs';
import { skip } from '../helpers/backend.mjs';
import { eventually, withFreeLoop } from '../helpers/events.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const DELAY_MS = 300;
const BOUND_MS = 150;

/** Starts the listener; resolves with it, or with the reason why there is none. */
async function guard(resource, directory) {
  if (!hasProgram('gcc')) return 'the program gcc is not installed';
  const program = resource.path('open_guard');
  run('gcc', ['-O1', '-o', program, path.join(repositoryRoot, 'compat-tests/fixtures/open_guard.c')]);
  const listener = spawn(program, [directory, String(DELAY_MS)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const words = await new Promise((resolve) => {
    listener.stdout.once('data', () => resolve('ready'));
    listener.stderr.once('data', (text) => resolve(String(text).trim()));
  });
  return words === 'ready' ? listener : words;
}

describe('H33: the fuse of the inline lane', () => {
  let directory;
  let resource;
  before(() => {
    directory = temporaryDirectory();
    resource = new Resource('fuse');
  });
  after(() => {
    resource.close();
    removeDirectory(directory);
  });

  const calls = {
    'promises.open': async (file) => (await fs.promises.open(file)).close(),
    'promises.readFile': (file) => fs.promises.readFile(file),
  };
  for (const [name, call] of Object.entries(calls)) {
    it(`${name} waits for a permission listener once, and not again`, async function () {
      const guarded = path.join(directory, name);
      nodeFs.mkdirSync(guarded);
      const file = path.join(guarded, 'file');
      nodeFs.writeFileSync(file, 'content');
      const fd = nodeFs.openSync(file, 'r+');
      nodeFs.fsyncSync(fd);
      nodeFs.closeSync(fd);
      const inlineOperations = () => stats().lanes.inline.operations;
      let isInline = false;
      await eventually(async () => {
        const before = inlineOperations();
        await call(file);
        isInline = inlineOperations() > before;
        return isInline && stats().inlineBarred.mounts === 0;
      }, 'an inline call').catch(() => {});
      if (!isInline) skip(this, 'because this kernel or the folder for temporary files has no inline opens');
      const listener = await guard(resource, guarded);
      if (typeof listener === 'string') skip(this, `because there is no permission listener: ${listener}`);
      try {
        const { times } = stats().inlineBarred;
        // A call that finds the pool at work goes there: it is the first inline one that has to tell.
        for (let tries = 0; tries < 5 && stats().inlineBarred.times === times; tries += 1) await call(file);
        expect(stats().inlineBarred.times, 'inline calls that slept').to.equal(times + 1);
        expect(stats().inlineBarred.mounts, 'mounts that are barred').to.be.least(1);
        await withFreeLoop(async (measure) => {
          const { elapsedMs } = await measure(() => call(file), BOUND_MS);
          expect(elapsedMs, 'time of a call that the listener delays').to.be.least(DELAY_MS * 0.9);
        });
      } finally {
        listener.stdin.end();
        await new Promise((resolve) => listener.once('exit', resolve));
      }
      // It is gone, the bar goes as well.
      await eventually(async () => {
        const before = inlineOperations();
        await call(file);
        return inlineOperations() > before;
      }, 'an inline call again');
    });
  }
});
