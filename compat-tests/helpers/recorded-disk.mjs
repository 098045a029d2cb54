// A disk whose power can fail at any moment: recorddisk.c (FUSE) -> disk.img -> loop device -> ext4 or xfs.
//
//   const disk = await openRecordedDisk({ filesystem: 'xfs' });
//   if (disk.skipped) return skip(this, disk.skipped);
//   … work below disk.mountPoint, disk.mark(N) whenever something is on the disk …
//   const log = await disk.stopRecording();          // [{ kind: 'write' | 'flush' | 'mark', mark? }, …]
//   await disk.failPowerAt(1234, 'some', 7, (mountPoint) => …)   // what a reboot finds then
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { Resource, run, unmountCommand } from '../fixtures/resource.mjs';
import { buildFixture, buildFuseProgram, fuseObstacle, startFuseServer } from './fuse-program.mjs';

const kinds = {
  ext4: [{ sizeMiB: 64, args: ['-F', '-J', 'size=8', '-E', 'lazy_itable_init=0,lazy_journal_init=0'] }],
  // A small log is scanned faster at each mount. Versions without the option want none for it, and sizes as usual.
  xfs: [
    { sizeMiB: 64, args: ['--unsupported', '-f', '-l', 'size=6m'] },
    { sizeMiB: 320, args: ['-f'] },
  ],
};

function makeFilesystem(kind, image) {
  const choices = [...kinds[kind]];
  for (;;) {
    const { sizeMiB, args } = choices.shift();
    fs.writeFileSync(image, '');
    fs.truncateSync(image, sizeMiB * 1024 * 1024);
    try {
      run(`mkfs.${kind}`, ['-q', ...args, image]);
      return;
    } catch (error) {
      if (choices.length === 0) throw error;
    }
  }
}

/** What came after the last flush: none is kept, all are, some are, some are in part. */
export const failureModes = ['none', 'all', 'some', 'sectors'];

const RECORD_BYTES = 16;
const recordKinds = { 1: 'write', 2: 'flush', 3: 'mark' };

/** What was recorded, without the data. */
function readLog(file, count) {
  const bytes = fs.readFileSync(file);
  const records = [];
  for (let at = 0; at < bytes.length && records.length < count; ) {
    const kind = recordKinds[bytes.readUInt32LE(at)];
    const size = bytes.readUInt32LE(at + 4);
    records.push(kind === 'mark' ? { kind, mark: Number(bytes.readBigUInt64LE(at + 8)) } : { kind, size });
    at += RECORD_BYTES + size;
  }
  return records;
}

class RecordedDisk {
  #resource;
  #kind;
  #image;
  #program;
  #replaying;

  constructor(resource, kind, image, program) {
    this.#resource = resource;
    this.#kind = kind;
    this.#image = image;
    this.#program = program;
  }

  async startRecording() {
    const folder = this.#resource.path('record');
    const args = ['--image', this.#image, '--record', this.#resource.path('log')];
    await startFuseServer(this.#resource, this.#program, args, folder);
    this.controlFile = `${folder}/control`;
    const device = this.#resource.attachLoop(`${folder}/disk.img`, ['--direct-io=on']);
    this.mountPoint = this.#resource.mount(['-t', this.#kind, device], this.#resource.path('mnt'));
  }

  mark(number) {
    fs.writeFileSync(this.controlFile, `mark ${number}`);
  }

  /** From now on the disk is the one of failPowerAt(). */
  async stopRecording() {
    const count = Number(/records (\d+)/.exec(fs.readFileSync(this.controlFile, 'latin1'))[1]);
    run('umount', [this.mountPoint]);
    const log = this.#resource.path('log');
    const folder = this.#resource.path('replay');
    await startFuseServer(this.#resource, this.#program, ['--image', this.#image, '--replay', log], folder);
    const device = this.#resource.attachLoop(`${folder}/disk.img`, ['--direct-io=on']);
    const mountPoint = this.#resource.path('after');
    fs.mkdirSync(mountPoint);
    this.#resource.undo(unmountCommand(mountPoint));
    const args = [this.#kind, device, mountPoint];
    const remount = spawn(buildFixture('remount'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const answers = createInterface({ input: remount.stdout })[Symbol.asyncIterator]();
    this.#replaying = { control: `${folder}/control`, mountPoint, remount, answers };
    return readLog(log, count);
  }

  async #remount(what) {
    const { remount, answers } = this.#replaying;
    remount.stdin.write(`${what}\n`);
    const { value } = await answers.next();
    if (value !== '0') throw new Error(`${what} of what the power failure has left: errno ${value}`);
  }

  /** Mounts what is left when the power fails behind the first `point` records, and lets `look` see it. */
  async failPowerAt(point, mode, seed, look) {
    const { control, mountPoint } = this.#replaying;
    fs.writeFileSync(control, `point ${point} ${failureModes.indexOf(mode)} ${seed}`);
    await this.#remount('mount');
    try {
      return look(mountPoint);
    } finally {
      await this.#remount('unmount');
    }
  }

  close() {
    this.#replaying?.remount.stdin.end();
    this.#resource.close();
  }
}

/**
 * @param {{ filesystem: 'ext4' | 'xfs' }} options
 * @returns {Promise<RecordedDisk & { skipped?: string }>} with `skipped` set there is nothing but the reason
 */
export async function openRecordedDisk({ filesystem }) {
  const obstacle = fs.existsSync('/dev/loop-control')
    ? fuseObstacle('losetup', `mkfs.${filesystem}`)
    : 'there is no /dev/loop-control';
  if (obstacle !== undefined) return { skipped: obstacle };
  const program = buildFuseProgram('recorddisk');
  const resource = new Resource('recorded-disk');
  let step = `making ${filesystem}`;
  try {
    const image = resource.path('image');
    makeFilesystem(filesystem, image);
    step = `mounting ${filesystem} on a loop device on FUSE`;
    const disk = new RecordedDisk(resource, filesystem, image, program);
    await disk.startRecording();
    return disk;
  } catch (error) {
    resource.close();
    return { skipped: `${step} was refused: ${error.message}` };
  }
}
