// H21: seccomp, sysctl or memlock block io_uring: EPERM, ENOSYS, ENOMEM, EINVAL, EMFILE. H23: fs.aio-max-nr is used up.
// Rules: any error means unavailable, with the reason; `auto` goes on to the next backend and says why; a backend asked
// for by name never falls back; IOENGINE_BACKEND is read before any uring system call, and a process forced to another
// backend makes none. Red when a probe's error is swallowed, a fallback is silent, or the probe runs unasked.
import path from 'node:path';
import { expect } from 'chai';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { aioSyscalls, injection, loopWithoutRings, straceObstacle, uringSyscalls } from '../helpers/faults.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { writeTagged } from './support/tagged.mjs';

// Imports, works, and says which backend did it; or says how the import failed.
const code = `
  import * as engine from 'ioengine';
  const result = {};
  try {
    const { default: fs } = await import('ioengine/fs');
    const handle = await fs.open(process.argv[1], { flags: 'r', direct: 'try' });
    const reads = Array.from({ length: 8 }, (_, i) => handle.read(Buffer.alloc(4096), 0, 4096, i * 8192));
    result.bytes = (await Promise.all(reads)).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    result.whole = (await fs.promises.readFile(process.argv[1])).length;
    await handle.close();
    const { name, forced, reason } = engine.backend();
    Object.assign(result, { name, forced, reason, lanes: engine.stats().lanes });
  } catch (error) {
    result.error = { code: error.code, message: error.message, name: error.name, isError: error instanceof Error };
  }
  result.probe = engine.probe();
  console.log(JSON.stringify(result));`;

describe('H21, H23: a backend is not available', () => {
  const directory = temporaryDirectory();
  const file = writeTagged(path.join(directory, 'a'), 21, 16);
  after(() => removeDirectory(directory));

  before(function () {
    // These children choose their backend themselves; once is enough.
    if (backendUnderTest !== 'auto') skip(this, 'it does not depend on the backend under test, and runs with auto');
    const obstacle = straceObstacle();
    if (obstacle) skip(this, obstacle);
  });

  async function run(backend, { inject = [], trace = `${uringSyscalls},${aioSyscalls}` } = {}) {
    const child = await runChild({ code, args: [file], env: { IOENGINE_BACKEND: backend }, strace: { trace, inject } });
    expect(child.status, child.describe()).to.equal(0);
    if (inject.length > 0) expect(child.injected, 'the fault was really injected').to.be.above(0);
    return { ...child.json(), trace: child.trace };
  }

  function expectWork(result) {
    expect(result.error, JSON.stringify(result.error)).to.equal(undefined);
    expect(result.bytes).to.equal(8 * 4096);
    expect(result.whole).to.equal(16 * 4096);
  }

  for (const error of ['EPERM', 'ENOSYS', 'ENOMEM', 'EINVAL', 'EMFILE']) {
    const inject = [injection('io_uring_setup', { error })];

    it(`io_uring_setup says ${error}: auto goes on with aio and says why`, async () => {
      const result = await run('auto', { inject });
      expectWork(result);
      expect(result.name).to.equal('aio');
      expect(result.forced).to.equal(false);
      expect(result.reason).to.match(/uring/i).and.include(error);
      expect(result.lanes.uring.operations).to.equal(0);
      expect(result.probe.uring.available).to.equal(false);
      expect(result.probe.uring.reason).to.include(error);
      expect(result.probe.uring.fix).to.be.a('string').and.not.equal('');
      expect(result.probe.aio.available).to.equal(true);
    });

    it(`io_uring_setup says ${error}: uring asked for by name fails, with cause and fix`, async () => {
      const result = await run('uring', { inject });
      expect(result.error?.code).to.equal('ERR_IOENGINE_BACKEND_UNAVAILABLE');
      expect(result.error.isError).to.equal(true);
      expect(result.error.message).to.include(error);
      expect(result.probe.uring.available).to.equal(false);
      expect(result.probe.uring.reason).to.include(error);
      expect(result.error.message, 'the fix is part of the message').to.include(result.probe.uring.fix);
      expect(
        result.trace.filter((line) => /io_setup\(/.test(line)),
        'no other backend is tried',
      ).to.deep.equal([]);
    });
  }

  for (const error of ['EPERM', 'ENOSYS', 'EACCES']) {
    it(`io_uring_register says ${error}: auto goes on with aio, and the cause is a filter, not an old kernel`, async () => {
      const inject = [injection('io_uring_register', { error })];
      const result = await run('auto', { inject });
      expectWork(result);
      expect(result.name).to.equal('aio');
      expect(result.reason).to.include(error).and.include('io_uring_register is refused');
      expect(result.reason).to.not.match(/IORING_OP|Linux 5/);
      expect(result.probe.uring.fix).to.include('seccomp');
    });
  }

  for (const error of ['EAGAIN', 'ENOSYS', 'ENOMEM']) {
    const inject = [injection('io_setup', { error })];

    it(`io_setup says ${error}: aio asked for by name fails, with cause and fix`, async () => {
      const result = await run('aio', { inject });
      expect(result.error?.code).to.equal('ERR_IOENGINE_BACKEND_UNAVAILABLE');
      expect(result.error.message).to.include(error);
      if (error === 'EAGAIN') expect(result.error.message).to.include('aio-max-nr');
      expect(result.probe.aio.available).to.equal(false);
    });

    it(`io_setup says ${error} and there is no uring: auto goes on with threads and says why`, async () => {
      const result = await run('auto', { inject: [injection('io_uring_setup', { error: 'EPERM' }), ...inject] });
      expectWork(result);
      expect(result.name).to.equal('threads');
      expect(result.reason).to.match(/uring/i).and.match(/aio/i).and.include('EPERM').and.include(error);
      expect(result.lanes.threads.operations).to.be.above(0);
    });
  }

  for (const [asked, name] of [
    ['aio', 'aio'],
    ['libaio', 'aio'],
    ['threads', 'threads'],
  ]) {
    it(`${asked} asked for by name: no uring system call at all`, async () => {
      const child = await runChild({
        code,
        args: [file],
        env: { IOENGINE_BACKEND: asked },
        strace: { trace: `${uringSyscalls},${aioSyscalls}`, inject: await loopWithoutRings() },
      });
      expect(child.status, child.describe()).to.equal(0);
      // What is injected is refused to the event loop of node, before the engine starts.
      const result = { ...child.json(), trace: child.trace.filter((line) => !line.includes('(INJECTED)')) };
      expectWork(result);
      expect(result.name).to.equal(name);
      expect(result.forced).to.equal(true);
      expect(result.trace.filter((line) => line.includes('io_uring'))).to.deep.equal([]);
      expect(result.probe.uring).to.equal('not probed');
      // The trace is able to see such calls: the aio ones are in it.
      if (name === 'aio') expect(result.trace.some((line) => line.includes('io_submit'))).to.equal(true);
      else expect(result.trace.filter((line) => /\bio_\w+\(/.test(line))).to.deep.equal([]);
    });
  }

  it('uring asked for by name: it makes uring system calls, and none of aio', async () => {
    const result = await run('uring');
    expectWork(result);
    expect(result.trace.some((line) => line.includes('io_uring_enter'))).to.equal(true);
    expect(result.trace.filter((line) => /io_setup\(|io_submit\(/.test(line))).to.deep.equal([]);
  });

  it('an unknown backend is an error that names the choices, and ioengine itself still imports', async () => {
    const result = await run('fastest');
    expect(result.error.isError).to.equal(true);
    expect(result.error.code).to.match(/^ERR_IOENGINE_/);
    for (const choice of ['fastest', 'uring', 'aio', 'threads', 'auto'])
      expect(result.error.message).to.include(choice);
    expect(result.probe).to.deep.equal({ uring: 'not probed', aio: 'not probed', threads: 'not probed' });
  });
});
