// H21, H22: what a machine may refuse: system calls by seccomp as Docker's profiles do, locked memory, threads, file
// sizes, room on the disk. Rules: `auto` goes on with what is left and says why; the work is done with right answers,
// or fails as it does on plain node. Red when a refusal is a crash, a hang, or a wrong byte.
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { hasProgram } from '../fixtures/resource.mjs';
import { backendUnderTest, skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { dockerProfiles, filterObstacle, launcherWithout } from '../helpers/refuse-calls.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const soak = new URL('../soak/support/work.mjs', import.meta.url).href;
const random = new URL('../helpers/random.mjs', import.meta.url).href;
const NOBODY = 65534;

/** Does every kind of work and compares what it reads; says what did it. */
const worker = `
  import fs from 'ioengine/fs';
  import { backend, stats } from 'ioengine';
  import { work } from '${soak}';
  import { randomFrom } from '${random}';
  const done = await work(fs, process.argv[1], randomFrom(7), Date.now() + 700, 8);
  console.log(JSON.stringify({ done, backend: backend(), lanes: stats().lanes }));`;

describe('H21, H22: under limits', function () {
  this.timeout(200_000);
  const directory = temporaryDirectory();
  fs.chmodSync(directory, 0o777);
  after(() => removeDirectory(directory));

  async function workUnder(launcher, backend) {
    const own = fs.mkdtempSync(path.join(directory, 'work-'));
    fs.chmodSync(own, 0o777);
    const child = await runChild({ code: worker, args: [own], launcher, env: { IOENGINE_BACKEND: backend } });
    expect(child.status, child.describe()).to.equal(0);
    const result = child.json();
    expect(Object.values(result.done).reduce((a, b) => a + b, 0)).to.be.above(0);
    return result;
  }

  for (const [name, calls] of Object.entries(dockerProfiles)) {
    it(`Docker: ${name}`, async function () {
      if (backendUnderTest !== 'auto') skip(this, 'it does not depend on the backend under test, and runs with auto');
      const obstacle = filterObstacle();
      if (obstacle) skip(this, obstacle);
      const { backend, lanes } = await workUnder(launcherWithout(calls), 'auto');
      expect(backend.name).to.equal(calls.includes('io_setup') ? 'threads' : 'aio');
      expect(backend.reason)
        .to.match(/io_uring/)
        .and.include('EPERM');
      expect(lanes.uring.operations).to.equal(0);
      expect(lanes.threads.operations).to.be.above(0);
    });
  }

  /** Another user, with limits of prlimit. */
  const asNobody = (...limits) => [
    ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
    ...['prlimit', ...limits],
  ];

  function needPrograms(context) {
    if (process.getuid() !== 0) skip(context, 'becoming another user needs root');
    const missing = ['setpriv', 'prlimit'].find((name) => !hasProgram(name));
    if (missing) skip(context, `the program ${missing} is not installed`);
  }

  it('64 KiB of locked memory, not root', async function () {
    needPrograms(this);
    const { backend } = await workUnder(asNobody('--memlock=65536:65536', '--'), backendUnderTest);
    if (backendUnderTest !== 'auto') expect(backend.name).to.equal(backendUnderTest);
  });

  it('few threads: work goes on with those that can be had', async function () {
    needPrograms(this);
    const code = `
      import fs from 'ioengine/fs';
      import { stats } from 'ioengine';
      const names = Array.from({ length: 40 }, (_, i) => process.argv[1] + '/' + i);
      await Promise.all(names.map((name) => fs.promises.writeFile(name, name)));
      const texts = await Promise.all(names.map((name) => fs.promises.readFile(name, 'utf8')));
      console.log(JSON.stringify({ right: texts.every((text, i) => text === names[i]), inFlight: stats().inFlight }));`;
    const plain = `const fs = await import('node:fs'); await fs.promises.stat('/');`;
    const limited = (limit) => asNobody(`--nproc=${limit}:${limit}`);
    const isEnough = async (limit) => (await runChild({ code: plain, launcher: limited(limit) })).status === 0;
    let least = 10;
    // libuv ends the process where it cannot have the threads of its pool.
    while (!(await isEnough(least))) least += 1;
    for (const limit of [least, least + 1, least + 2]) {
      const own = fs.mkdtempSync(path.join(directory, 'threads-'));
      fs.chmodSync(own, 0o777);
      const launcher = limited(limit);
      const child = await runChild({ code, args: [own], launcher, env: { IOENGINE_BACKEND: backendUnderTest } });
      expect(child.status, `${limit} threads: ${child.describe()}`).to.equal(0);
      expect(child.json(), `${limit} threads`).to.deep.equal({ right: true, inFlight: 0 });
    }
  });

  /** The same program on both sides: what each call answered, and what is in the files afterwards. */
  async function sameOnBoth(code, folderOf, launcher = []) {
    const seen = [];
    for (const subject of ['node:fs', 'ioengine/fs']) {
      const folder = folderOf();
      const child = await runChild({
        code: `import fs from '${subject}';\n${code}`,
        args: [folder],
        launcher,
        env: { IOENGINE_BACKEND: backendUnderTest },
      });
      expect(child.status, `${subject}: ${child.describe()}`).to.equal(0);
      seen.push(child.json());
    }
    expect(seen[1]).to.deep.equal(seen[0]);
    return seen[0];
  }

  const attempts = `
    const folder = process.argv[1];
    const seen = {};
    const at = (name) => folder + '/' + name;
    const attempt = async (name, call) => {
      const outcome = await call().then(() => 'done', ({ code, syscall, errno }) => ({ code, syscall, errno }));
      seen[name] = { outcome, bytes: fs.existsSync(at(name)) ? fs.statSync(at(name)).size : -1 };
      fs.rmSync(at(name), { force: true });
    };
    const streamed = (name, options) => new Promise((resolve, reject) => {
      const stream = fs.createWriteStream(at(name), options).on('error', reject).on('close', resolve);
      for (let i = 0; i < SIZE; i += 65536) stream.write(data.subarray(i, i + 65536));
      stream.end();
    });`;

  it('RLIMIT_FSIZE: a file may not grow further', async function () {
    if (!hasProgram('prlimit')) skip(this, 'the program prlimit is not installed');
    const code = `
      const SIZE = 300_000, data = Buffer.alloc(SIZE, 1);
      ${attempts}
      await attempt('writeFile', () => fs.promises.writeFile(at('writeFile'), data));
      await attempt('stream', () => streamed('stream'));
      await attempt('handle', async () => {
        const handle = await fs.promises.open(at('handle'), 'w');
        try {
          let done = 0;
          while (done < SIZE) done += (await handle.write(data, done, 70_000, done)).bytesWritten;
        } finally { await handle.close(); }
      });
      await attempt('truncate', async () => { fs.writeFileSync(at('truncate'), ''); await fs.promises.truncate(at('truncate'), SIZE); });
      await attempt('small', () => fs.promises.writeFile(at('small'), 'fits'));
      console.log(JSON.stringify(seen));`;
    const folderOf = () => fs.mkdtempSync(path.join(directory, 'size-'));
    const seen = await sameOnBoth(code, folderOf, ['prlimit', '--fsize=100000:100000']);
    expect(seen.writeFile.outcome.code).to.equal('EFBIG');
    expect(seen.small.outcome).to.equal('done');
  });

  it('a disk of 8 MiB that is full: errors, and work again once there is room', async function () {
    const small = await withFilesystem('ext4', { sizeMiB: 8 });
    if (small.skipped) skip(this, small.skipped);
    const code = `
      const SIZE = 16 * 1024 * 1024, data = Buffer.alloc(SIZE, 1);
      ${attempts}
      await attempt('writeFile', () => fs.promises.writeFile(at('writeFile'), data));
      await attempt('stream', () => streamed('stream'));
      await attempt('appendFile', () => fs.promises.appendFile(at('appendFile'), data));
      for (const one of Object.values(seen)) one.bytes = one.bytes > 1e6;
      await attempt('again', async () => {
        await fs.promises.writeFile(at('again'), data.subarray(0, 1e6), { flush: true });
        if (!(await fs.promises.readFile(at('again'))).equals(data.subarray(0, 1e6))) throw new Error('wrong bytes');
      });
      console.log(JSON.stringify(seen));`;
    const seen = await sameOnBoth(code, () => fs.mkdtempSync(path.join(small.dir, 'full-')));
    expect(seen.stream.outcome.code).to.equal('ENOSPC');
    expect(seen.again.outcome).to.equal('done');
  });
});
