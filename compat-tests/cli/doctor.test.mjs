// `ioengine doctor`: what it says is compared with what the system, and a program that is started in the same way, say.
// Red with an exit code that does not follow the backend, a limit read from the wrong row, a mount taken for another,
// a lane that is guessed, and a trace left in the folder.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { Resource } from '../fixtures/resource.mjs';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { openSlowDisk } from '../helpers/slow-disk.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { unavailability } from '../run.availability.mjs';
import { cli, jsonOf, program, treeOf } from './support/cli.mjs';
import { filterObstacle, nodeWithout } from '../helpers/refuse-calls.mjs';

const doctor = (args, options) => cli(['doctor', '--json', ...args], options);
/** Who serves calls that may wait for a server. */
const POOL = { uring: 'threads', aio: 'threads', threads: 'threads', node: 'delegated' };
const AUTO = { IOENGINE_BACKEND: 'auto' };

/** What a program sees that is started with this environment. */
async function backendWith(env, strace) {
  const code = "import { backend } from 'ioengine'; console.log(JSON.stringify(backend()));";
  return (await runChild({ code, env, strace })).json();
}

/** Each system call of a backend's set-up refused, as a seccomp profile does. */
const refused = (...calls) => ({ trace: calls.join(','), inject: calls.map((call) => `${call}:error=EPERM`) });
const needsStrace = (context) => {
  if (spawnSync('strace', ['-V']).error) skip(context, 'because strace is not installed');
};

describe('cli: doctor', () => {
  for (const [name, status] of Object.entries({ uring: 0, aio: 0, threads: 3, node: 4 })) {
    it(`ends with ${status} on ${name}, and names what a program gets`, async function () {
      const obstacle = name === 'node' ? undefined : unavailability(name);
      if (obstacle) skip(this, obstacle.reason);
      const env = { IOENGINE_BACKEND: name };
      const child = await doctor([], { env });
      const found = jsonOf(child);
      const { name: chosen, forced, reason, depth, filesystems } = await backendWith(env);
      expect([child.status, found.exitCode, child.stderr]).to.deep.equal([status, status, '']);
      expect(found.backend).to.deep.equal({ name: chosen, forced, reason, depth });
      expect(found.backend.name).to.equal(name);
      expect(found.filesystems).to.deep.equal(filesystems);
      expect(filesystems.remote).to.deep.equal({ types: [], files: [POOL[name]], paths: [POOL[name]] });
      expect(filesystems.local.types).to.include('ext4');
      expect((await cli(['doctor'], { env })).stdout).to.match(/^ {2}remote +\S+ +\S+ +NFS/m);
      for (const other of ['uring', 'aio', 'threads'].filter((one) => one !== name)) {
        expect(found.backends[other]).to.equal('not probed');
      }
    });
  }

  it('ends with 5 where the backend that was asked for is refused, with cause and fix', async function () {
    needsStrace(this);
    const child = await doctor([], { env: { IOENGINE_BACKEND: 'uring' }, strace: refused('io_uring_setup') });
    const { refusal, backends } = jsonOf(child);
    expect(child.status).to.equal(5);
    expect(refusal.code).to.equal('ERR_IOENGINE_BACKEND_UNAVAILABLE');
    expect(refusal.message).to.include('EPERM');
    expect(refusal.fix).to.be.a('string').that.is.not.empty;
    expect(backends.uring).to.include({ available: false });
    expect(backends.uring.reason).to.include('EPERM');
  });

  it('ends with 3 where both kernel interfaces are refused, and says why for each', async function () {
    needsStrace(this);
    const strace = refused('io_uring_setup', 'io_setup');
    const child = await doctor([], { env: AUTO, strace });
    const { backend, backends, verdict } = jsonOf(child);
    expect([child.status, backend.name]).to.deep.equal([3, 'threads']);
    expect(verdict).to.equal('the engine runs on its own threads alone');
    for (const name of ['uring', 'aio']) {
      expect(backends[name].reason, name).to.include('EPERM');
      expect(backends[name].fix, name).to.be.a('string').that.is.not.empty;
    }
    const text = await cli(['doctor'], { env: AUTO, strace });
    expect(text.stdout).to.include(backends.uring.reason.split(' ')[0]).and.include('fix: ');
  });

  describe('in a container whose seccomp profile refuses io_uring, as the default one of Docker does', () => {
    before(function () {
      const obstacle = filterObstacle() ?? (unavailability('aio') && 'there is no AIO here');
      if (obstacle) skip(this, obstacle);
    });

    it('says that the engine runs on AIO, that a filter is there, and which calls to allow', () => {
      const calls = ['io_uring_setup', 'io_uring_enter', 'io_uring_register'];
      const { status, stdout } = nodeWithout(calls, [program, 'doctor', '--json'], AUTO);
      const { backend, backends, sandbox } = JSON.parse(stdout);
      expect([status, backend.name, sandbox.seccomp]).to.deep.equal([0, 'aio', 'filter']);
      expect(backends.uring.reason).to.include('EPERM').and.include('seccomp');
      for (const call of calls) expect(backends.uring.fix).to.include(call);
    });

    it('names the one call that a profile has forgotten', () => {
      const { status, stdout } = nodeWithout(['io_uring_register'], [program, 'doctor', '--json'], AUTO);
      const { backend, backends } = JSON.parse(stdout);
      expect([status, backend.name]).to.deep.equal([0, 'aio']);
      expect(backends.uring.reason).to.include('io_uring_register is refused');
    });
  });

  it('names the addon that is loaded, and why there is none', async () => {
    const here = jsonOf(await doctor([], { env: { ...AUTO, IOENGINE_ADDON: undefined } }));
    const code = `await (await import('ioengine/fs')).promises.stat('.');
      console.log(JSON.stringify(process.report.getReport().sharedObjects.filter((file) => file.endsWith('ioengine.node'))))`;
    const loaded = await runChild({ code, env: { ...AUTO, IOENGINE_ADDON: undefined } });
    expect([here.binary.loaded]).to.deep.equal(loaded.json());
    const gone = await doctor([], { env: { ...AUTO, IOENGINE_ADDON: '/no/such.node' } });
    expect([gone.status, gone.stderr]).to.deep.equal([4, '']);
    const { binary } = jsonOf(gone);
    expect(binary.loaded).to.equal(undefined);
    expect(binary.namedBy).to.equal('IOENGINE_ADDON=/no/such.node');
    expect(binary.failure).to.include('/no/such.node');
  });

  it('tells the limits of the process and of the system', async function () {
    if (spawnSync('prlimit', ['--version']).error) skip(this, 'because prlimit is not installed');
    const limits = ['--nofile=1234:2345', '--memlock=65536:131072'];
    const { stdout } = spawnSync('prlimit', [...limits, process.execPath, program, 'doctor', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, ...AUTO },
    });
    const found = JSON.parse(stdout);
    // Node itself raises the soft limit to the hard one.
    expect(found.limits.nofile).to.deep.equal({ soft: 2345, hard: 2345 });
    expect(found.limits.memlock).to.deep.equal({ soft: 65_536, hard: 131_072 });
    const number = (file) => (fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : undefined);
    expect(found.limits.aio.max).to.equal(number('/proc/sys/fs/aio-max-nr'));
    expect(found.limits.ioUringDisabled).to.equal(number('/proc/sys/kernel/io_uring_disabled'));
    expect(found.limits.maxMapCount).to.equal(number('/proc/sys/vm/max_map_count'));
  });

  it('tells what the process may do', async function () {
    if (spawnSync('setpriv', ['--version']).error) skip(this, 'because setpriv is not installed');
    const seen = (before) => {
      const [command, ...args] = [...before, process.execPath, program, 'doctor', '--json'];
      const env = { ...process.env, ...AUTO, KUBERNETES_SERVICE_HOST: '10.0.0.1' };
      return JSON.parse(spawnSync(command, args, { encoding: 'utf8', env }).stdout).sandbox;
    };
    const { seccomp, noNewPrivileges, hints } = seen([]);
    const field = (name) => new RegExp(`^${name}:\\s*(\\d)`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
    expect(seccomp).to.equal(['none', 'strict', 'filter'][field('Seccomp')]);
    expect(noNewPrivileges).to.equal(field('NoNewPrivs') === '1');
    expect(seen(['setpriv', '--no-new-privs']).noNewPrivileges).to.equal(true);
    expect(hints.some((hint) => hint.startsWith('Docker'))).to.equal(fs.existsSync('/.dockerenv'));
    expect(hints).to.include('Kubernetes (KUBERNETES_SERVICE_HOST)');
  });

  it('ends with 1 where there is no PATH', async () => {
    const child = await cli(['doctor', '/no/such/path']);
    expect([child.status, child.stdout, child.stderr]).to.deep.equal([
      1,
      '',
      'ioengine doctor: there is no /no/such/path\n',
    ]);
  });
});

describe('cli: doctor PATH', () => {
  const kinds = { ext4: 'local', xfs: 'local', btrfs: 'local', tmpfs: 'memory', overlayfs: 'stacked' };

  for (const [filesystem, kind] of Object.entries(kinds)) {
    it(`on ${filesystem} tells the mount, its kind and the lanes, and leaves no trace`, async function () {
      const made = await withFilesystem(filesystem);
      if (made.skipped) skip(this, made.skipped);
      fs.writeFileSync(path.join(made.dir, 'file'), 'some text\n');
      const before = treeOf(made.dir, { times: true });
      const env = { IOENGINE_BACKEND: unavailability('uring') ? 'threads' : 'uring' };
      const child = await doctor([made.dir], { env });
      const { place } = jsonOf(child);
      expect(place.kind, child.describe()).to.equal(kind);
      expect(place.mount.point).to.equal(made.mountPoint);
      expect(place.mount.type).to.equal(filesystem === 'overlayfs' ? 'overlay' : filesystem);
      expect(place.type).to.equal('directory');
      const lanes = Object.fromEntries(place.lanes.map(({ operation, lane }) => [operation, lane]));
      expect(lanes).to.include.keys('stat', 'open', 'close', 'read, cached', 'write', 'read, O_DIRECT', 'fsync');
      for (const lane of Object.values(lanes)) expect(lane, JSON.stringify(lanes)).to.match(/^(inline|uring|threads)/);
      expect(lanes['read, O_DIRECT']).to.equal(env.IOENGINE_BACKEND);
      expect(place.direct.supported).to.equal(true);
      expect(treeOf(made.dir, { times: true })).to.deep.equal(before);
    });
  }

  it('finds the alignment that pread(2) takes with O_DIRECT, and no smaller one', async function () {
    const made = await withFilesystem('ext4');
    if (made.skipped) skip(this, made.skipped);
    const { offsetAlignment } = jsonOf(await doctor([made.dir])).place.direct;
    const file = path.join(made.dir, 'file');
    fs.writeFileSync(file, Buffer.alloc(65_536));
    const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_DIRECT);
    const { alignedBuffer } = await import('ioengine');
    try {
      const memory = alignedBuffer(65_536);
      expect(fs.readSync(fd, memory, 0, offsetAlignment, offsetAlignment)).to.equal(offsetAlignment);
      expect(() => fs.readSync(fd, memory, 0, offsetAlignment, offsetAlignment / 2)).to.throw('EINVAL');
    } finally {
      fs.closeSync(fd);
    }
  });

  it('of a file says the same as of its folder, and leaves the file alone', async () => {
    const folder = temporaryDirectory();
    try {
      const file = path.join(folder, 'file');
      fs.writeFileSync(file, 'some text\n');
      const before = treeOf(folder, { times: true });
      const found = jsonOf(await doctor([file])).place;
      expect(found.type).to.equal('file');
      expect(found.mount).to.deep.equal(jsonOf(await doctor([folder])).place.mount);
      expect(found.lanes.map(({ operation }) => operation)).to.include('readFile, small and cached');
      expect(treeOf(folder, { times: true })).to.deep.equal(before);
    } finally {
      removeDirectory(folder);
    }
  });

  it('finds a mount with blanks in its name, and the last one of two', async function () {
    if (process.getuid() !== 0) skip(this, 'because mounting needs root');
    const resource = new Resource('doctor-test');
    try {
      const point = path.join(resource.path('below'), 'a b\tc');
      resource.mount(['-t', 'tmpfs', 'first'], point);
      resource.mount(['-t', 'tmpfs', 'the second'], point);
      fs.mkdirSync(path.join(point, 'inside'));
      const { place } = jsonOf(await doctor([path.join(point, 'inside')]));
      expect([place.mount.point, place.mount.source]).to.deep.equal([point, 'the second']);
    } finally {
      resource.close();
    }
  });

  it('where nothing may be written still tells the lanes of reads', async function () {
    if (process.getuid() !== 0) skip(this, 'because mounting needs root');
    const resource = new Resource('doctor-test');
    try {
      const point = resource.mount(['-t', 'tmpfs', 'read-only'], resource.path('mnt'));
      fs.writeFileSync(path.join(point, 'file'), 'some text\n');
      spawnSync('mount', ['-o', 'remount,ro', point]);
      const { lanes, direct } = jsonOf(await doctor([point])).place;
      const laneOf = (name) => lanes.find(({ operation }) => operation === name)?.lane;
      expect(laneOf('write')).to.equal('not tried: no file without a name can be made here: EROFS');
      expect(laneOf('read, cached')).to.match(/^(inline|threads)$/);
      expect(direct.reason).to.include('EROFS');
    } finally {
      resource.close();
    }
  });

  it('--write tries with a named file where there are none without, and removes it', async function () {
    needsStrace(this);
    const folder = temporaryDirectory();
    try {
      fs.writeFileSync(path.join(folder, 'file'), 'some text\n');
      // The folder is opened to be listed, and then for a file without a name.
      const strace = { path: folder, trace: 'openat', inject: 'openat:error=EOPNOTSUPP:when=2' };
      const laneOf = (child, name) => jsonOf(child).place.lanes.find(({ operation }) => operation === name)?.lane;
      const without = await doctor([folder], { strace });
      expect(without.injected).to.equal(1);
      const reason = 'not tried: no file without a name can be made here: ENOTSUP; --write tries with a named file';
      expect(laneOf(without, 'write')).to.equal(reason);
      const child = await doctor(['--write', folder], { strace });
      expect(child.injected).to.equal(1);
      expect(laneOf(child, 'write')).to.match(/^(threads|uring|inline)$/);
      expect(fs.readdirSync(folder)).to.deep.equal(['file']);
    } finally {
      removeDirectory(folder);
    }
  });

  it('calls a FUSE filesystem remote, and says what cannot be tried there', async function () {
    this.timeout(120_000);
    const disk = await openSlowDisk({ sizeMiB: 32 });
    if (disk.skipped) skip(this, disk.skipped);
    try {
      const child = await doctor([disk.fuseFile]);
      const { place } = jsonOf(child);
      expect([child.stderr, place.kind, place.type]).to.deep.equal(['', 'remote', 'file']);
      expect(place.mount.type).to.match(/^fuse/);
      const laneOf = (name) => place.lanes.find(({ operation }) => operation === name)?.lane;
      expect(laneOf('stat')).to.equal('threads');
      expect(laneOf('write')).to.match(/^not tried: no file without a name can be made here: \w+; --write tries/);
      expect(laneOf('read, cached')).to.match(/^(delegated|threads|uring|aio)$/);
    } finally {
      disk.close();
    }
  });

  it('calls what the kernel makes up special', async () => {
    for (const special of ['/proc', '/proc/cpuinfo', '/dev/null']) {
      const { place } = jsonOf(await doctor([special]));
      expect([special, place.kind]).to.deep.equal([special, 'special']);
      expect(place.lanes[0].lane).to.match(/^node:fs/);
    }
  });

  it('prints all of it as text', async () => {
    const { stdout, status } = await cli(['doctor', inRoot('src')], { env: AUTO });
    expect(status).to.be.oneOf([0, 3]);
    for (const title of ['System', 'Chosen', 'Backends', 'Limits', 'Sandbox', 'Path']) {
      expect(stdout).to.match(new RegExp(`^${title}$`, 'm'));
    }
    expect(stdout)
      .to.match(/^ {2}operation +lane$/m)
      .and.match(/^ {2}fsync +\w/m);
  });
});
