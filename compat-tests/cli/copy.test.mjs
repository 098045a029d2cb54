// `ioengine cp`: cmp(1) and the tree itself are the judges. Red with a piece that is lost or in the wrong place, an old
// target that is touched before the new one is complete, a resumed copy that believes what is there, a verification
// that does not look at the disk, and a link that is followed where nobody meant it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skip } from '../helpers/backend.mjs';
import { withFilesystem } from '../helpers/filesystems.mjs';
import { openSlowDisk } from '../helpers/slow-disk.mjs';
import { inMemory, patternBytes, removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';
import { cli, startCli, treeOf } from './support/cli.mjs';

const MiB = 1024 * 1024;
const partialOf = (target) => path.join(path.dirname(target), `.${path.basename(target)}.ioengine-partial`);
const same = (one, other) => spawnSync('cmp', [one, other]).status === 0;

describe('cli: cp', () => {
  let folder;
  beforeEach(() => {
    folder = temporaryDirectory();
  });
  afterEach(() => removeDirectory(folder));

  const at = (name) => path.join(folder, name);
  const write = (name, bytes, mode = 0o644) => {
    fs.writeFileSync(at(name), bytes);
    fs.chmodSync(at(name), mode);
    return at(name);
  };
  const names = () => fs.readdirSync(folder).sort();

  async function succeed(args, options) {
    const child = await cli(['cp', ...args], options);
    expect(child.status, child.describe()).to.equal(0);
    return child;
  }
  async function fail(args, text, options) {
    const child = await cli(['cp', ...args], options);
    expect([child.status, child.stdout], child.describe()).to.deep.equal([1, '']);
    expect(child.stderr).to.include(text);
    return child;
  }

  for (const size of [0, 1, 4097, MiB, 9 * MiB + 123]) {
    for (const flags of [[], ['--direct', '--verify']]) {
      it(`copies ${size} bytes ${flags.join(' ')}, with the mode`, async () => {
        const source = write('source', patternBytes(size), 0o640);
        const { stderr } = await succeed([...flags, source, at('target')]);
        expect(same(source, at('target'))).to.equal(true);
        expect(fs.statSync(at('target')).mode & 0o7777).to.equal(0o640);
        expect(names()).to.deep.equal(['source', 'target']);
        expect(stderr).to.match(/^1 file, /);
        if (flags.length > 0) {
          const [digest] = spawnSync('sha256sum', [source], { encoding: 'utf8' }).stdout.split(' ');
          expect(stderr).to.include(`read back from the disk; sha256 ${digest}`);
        }
      });
    }
  }

  it('into a folder, through a link, over a file: the old content stays where another name has it', async () => {
    const source = write('source', patternBytes(5000));
    fs.mkdirSync(at('folder'));
    await succeed(['-q', source, at('folder')]);
    expect(same(source, at('folder/source'))).to.equal(true);
    fs.linkSync(write('old', 'old content'), at('other-name'));
    fs.symlinkSync('old', at('link'));
    await succeed(['-q', source, at('link')]);
    expect(fs.readlinkSync(at('link'))).to.equal('old');
    expect(same(source, at('old'))).to.equal(true);
    expect(fs.readFileSync(at('other-name'), 'utf8')).to.equal('old content');
  });

  it('gives nobody the rights of the owner of the source: setuid and setgid are not copied', async () => {
    const source = write('source', 'a program', 0o6755);
    await succeed(['-q', source, at('target')]);
    expect(fs.statSync(at('target')).mode & 0o7777).to.equal(0o755);
  });

  it('keeps holes', async () => {
    fs.writeFileSync(at('source'), '');
    fs.truncateSync(at('source'), 64 * MiB);
    fs.appendFileSync(at('source'), 'the end');
    await succeed(['-q', at('source'), at('target')]);
    expect(same(at('source'), at('target'))).to.equal(true);
    expect(fs.statSync(at('target')).blocks * 512).to.be.below(4 * MiB);
  });

  it('copies a tree: files of every size, links as links, modes of folders too', async () => {
    fs.mkdirSync(at('tree/deep/er'), { recursive: true });
    for (let index = 0; index < 40; index++) write(`tree/deep/file-${index}`, patternBytes(index * 997, index + 1));
    write('tree/large', patternBytes(9 * MiB));
    fs.symlinkSync('deep/file-3', at('tree/link'));
    fs.symlinkSync('/no/such/file', at('tree/dangling'));
    fs.chmodSync(at('tree/deep'), 0o555);
    const { stderr } = await succeed(['-r', '--verify', at('tree'), at('copy')]);
    expect(treeOf(at('copy'))).to.deep.equal(treeOf(at('tree')));
    expect(stderr).to.match(/^41 files, .*verified/);
    const { stderr: again } = await succeed(['-r', '--resume', at('tree'), at('second')]);
    expect(again).to.match(/^41 files/);
  });

  it('leaves out what is no file, folder or link, says so, and ends with 1', async () => {
    fs.mkdirSync(at('tree'));
    write('tree/file', 'text');
    spawnSync('mkfifo', [at('tree/pipe')]);
    await fail(['-r', at('tree'), at('copy')], `${at('tree/pipe')} is no file, folder or link: left out`);
    expect(fs.readdirSync(at('copy'))).to.deep.equal(['file']);
  });

  it('says what cannot be copied, and touches nothing', async () => {
    const source = write('source', 'text');
    fs.mkdirSync(at('tree'));
    write('tree/file', 'text');
    fs.symlinkSync('source', at('link'));
    const before = treeOf(folder, { times: true });
    await fail([source, source], 'are the same file');
    await fail([source, at('link')], 'are the same file');
    await fail([at('tree'), at('copy')], `${at('tree')} is a folder: -r copies folders`);
    await fail(['-r', at('tree'), at('tree/inside')], 'a folder cannot be copied into itself');
    await fail(['-r', at('tree'), source], 'is there and is no folder');
    await fail([at('nothing'), at('copy')], 'ENOENT');
    await fail(['/dev/null', at('copy')], '/dev/null is no regular file');
    await fail([source, '/dev/null'], '/dev/null is no regular file');
    await fail([source, at('no/such/folder')], 'ENOENT');
    await fail([source, at('nothing/')], `${at('nothing/')} is not there`);
    await fail([source, ''], 'DST is empty', { cwd: folder });
    expect(treeOf(folder, { times: true })).to.deep.equal(before);
  });

  it('leaves the target as it was where the disk is full, and says so', async function () {
    const small = await withFilesystem('ext4', { sizeMiB: 8 });
    if (small.skipped) skip(this, small.skipped);
    const target = path.join(small.dir, 'target');
    fs.writeFileSync(target, 'old content');
    await fail([write('source', patternBytes(12 * MiB)), target], 'ENOSPC');
    expect(fs.readFileSync(target, 'utf8')).to.equal('old content');
  });

  it('--direct fails where the filesystem refuses O_DIRECT, and says what to do', async function () {
    if (fs.constants.O_DIRECT === undefined) skip(this, 'because there is no O_DIRECT here');
    // Files that the kernel makes up refuse it.
    const { status, stderr } = await cli(['cp', '--direct', '/proc/self/status', at('target')]);
    expect([status, stderr.includes('O_DIRECT')]).to.deep.equal([1, true]);
  });

  describe('--resume', () => {
    const size = 12 * MiB + 77;

    it('compares what is there before it is kept: a wrong byte is put right', async () => {
      const bytes = patternBytes(size);
      const source = write('source', bytes);
      const there = Buffer.from(bytes.subarray(0, 7 * MiB + 5));
      there[2 * MiB + 17] ^= 1;
      write('.target.ioengine-partial', there);
      const { stderr } = await succeed(['--resume', '--verify', source, at('target')]);
      expect(same(source, at('target'))).to.equal(true);
      expect(stderr).to.include('6.0 MiB were there already, compared');
      expect(names()).to.deep.equal(['source', 'target']);
    });

    it('cuts off what is too much, and begins anew where nothing is there', async () => {
      const source = write('source', patternBytes(size));
      write('.target.ioengine-partial', patternBytes(size + 3 * MiB, 5));
      await succeed(['--resume', source, at('target')]);
      expect(same(source, at('target'))).to.equal(true);
      await succeed(['--resume', source, at('second')]);
      expect(same(source, at('second'))).to.equal(true);
    });

    it('leaves a target alone that is the same already, and replaces one that is not', async () => {
      const source = write('source', patternBytes(size), 0o600);
      const target = write('target', patternBytes(size));
      const { ino } = fs.statSync(target);
      const { stderr } = await succeed(['--resume', source, target]);
      expect(stderr).to.include('0 B copied').and.include('were there already, compared');
      expect([fs.statSync(target).ino, fs.statSync(target).mode & 0o777]).to.deep.equal([ino, 0o600]);
      const other = patternBytes(size);
      other[size - 1] ^= 1;
      fs.writeFileSync(target, other);
      await succeed(['--resume', source, target]);
      expect(same(source, target)).to.equal(true);
    });

    it('without it what an earlier copy has left is not used', async () => {
      const source = write('source', patternBytes(size));
      write('.target.ioengine-partial', patternBytes(size, 5));
      const { stderr } = await succeed([source, at('target')]);
      expect(same(source, at('target'))).to.equal(true);
      expect(stderr).to.not.include('were there');
    });

    it('does not follow a link in the place of the hidden file', async () => {
      const source = write('source', patternBytes(5000));
      const victim = write('victim', 'mine');
      fs.symlinkSync('victim', partialOf(at('target')));
      await succeed(['--resume', source, at('target')]);
      expect(fs.readFileSync(victim, 'utf8')).to.equal('mine');
      expect(fs.lstatSync(at('target')).isFile()).to.equal(true);
    });
  });

  // Writes that take 40 ms, so that there is time to do something in between.
  const slowly = { trace: 'pwrite64,pwritev', inject: ['pwrite64:delay_enter=40000', 'pwritev:delay_enter=40000'] };
  const slow = { strace: slowly, env: { IOENGINE_BACKEND: 'threads' } };
  const needsStrace = (context) => {
    if (spawnSync('strace', ['-V']).error) skip(context, 'because strace is not installed');
  };
  async function begun(target) {
    const partial = partialOf(target);
    while ((fs.statSync(partial, { throwIfNoEntry: false })?.size ?? 0) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return partial;
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    it(`${signal} leaves what can be resumed, and nothing under the name of the target`, async function () {
      needsStrace(this);
      const source = write('source', patternBytes(48 * MiB));
      const child = startCli(['cp', source, at('target')], slow);
      const partial = await begun(at('target'));
      child.kill(signal);
      await child.ended();
      expect(child.status, child.describe()).to.equal(code);
      expect(child.stderr).to.include('interrupted').and.include('--resume').and.include(partial);
      expect(names()).to.deep.equal(['.target.ioengine-partial', 'source']);
      const { stderr } = await succeed(['--resume', source, at('target')]);
      expect(stderr).to.match(/\d MiB were there already, compared/);
      expect(same(source, at('target'))).to.equal(true);
    });
  }

  it('a source that is changed meanwhile is an error, and the target is as it was', async function () {
    needsStrace(this);
    const source = write('source', patternBytes(24 * MiB));
    write('target', 'old content');
    const child = startCli(['cp', source, at('target')], slow);
    await begun(at('target'));
    fs.appendFileSync(source, 'more');
    await child.ended();
    expect([child.status, child.stderr.includes('was changed while it was copied')]).to.deep.equal([1, true]);
    expect(fs.readFileSync(at('target'), 'utf8')).to.equal('old content');
  });

  it('--verify finds a disk that forgets what it has taken', async function () {
    this.timeout(120_000);
    const disk = await openSlowDisk({ sizeMiB: 64 });
    if (disk.skipped) skip(this, disk.skipped);
    try {
      const source = write('source', patternBytes(3 * MiB));
      const target = path.join(disk.mountPoint, 'target');
      // The blocks are there, and the journal has nothing left to do, before the disk begins to lie.
      fs.writeFileSync(partialOf(target), Buffer.alloc(3 * MiB, 1), { flush: true });
      spawnSync('sync', ['-f', disk.mountPoint]);
      await succeed(['--verify', source, path.join(disk.mountPoint, 'honest')]);
      disk.dropWrites(true);
      const { stderr } = await fail(['--resume', '--verify', source, target], 'does not hold what was written');
      expect(stderr).to.include('sha256');
      expect(fs.existsSync(target)).to.equal(false);
    } finally {
      disk.close();
    }
  });

  it('works where no engine runs, and does not call that O_DIRECT', async () => {
    const none = { env: { IOENGINE_DISABLE: '1' } };
    const source = write('source', patternBytes(2 * MiB + 3));
    const { stderr } = await succeed(['--verify', source, at('target')], none);
    expect(same(source, at('target'))).to.equal(true);
    expect(stderr).to.include('read back through the page cache');
    await fail(['--direct', source, at('second')], 'cannot be opened with O_DIRECT', none);
    expect(names()).to.deep.equal(['source', 'target']);
  });

  it('--progress writes one line over and over, and nothing is left of it', async () => {
    const source = write('source', patternBytes(3 * MiB));
    const { stderr } = await succeed(['--progress', '--verify', source, at('target')]);
    const drawn = stderr.split('\r\x1b[K');
    expect(drawn.length).to.be.above(2);
    for (const line of drawn.slice(1, -1)) {
      expect(line).to.match(/^\S+ +\d+ % {2}[\d.]+ MiB of 6\.0 MiB {2}.*\/s .* left$/);
    }
    expect(drawn.at(-1)).to.match(/^1 file, 3\.0 MiB copied/);
    const quiet = await succeed(['-q', source, at('second')]);
    expect(quiet.stderr).to.equal('');
  });

  it('copies from memory, where O_DIRECT may be refused, and says how it was verified', async function () {
    if (inMemory === undefined) skip(this, 'because there is no /dev/shm');
    const other = temporaryDirectory(inMemory);
    try {
      const source = write('source', patternBytes(MiB + 3));
      const { stderr } = await succeed(['--verify', source, path.join(other, 'target')]);
      expect(same(source, path.join(other, 'target'))).to.equal(true);
      expect(stderr).to.match(/read back (from the disk|through the page cache)/);
    } finally {
      removeDirectory(other);
    }
  });
});
