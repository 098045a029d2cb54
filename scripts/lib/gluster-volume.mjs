// A GlusterFS volume of three replicas on this machine, mounted through its FUSE client. All of it is of our own: a
// network namespace, the daemon with its folder and sockets, the bricks. Taken down at the end, whatever ends us.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote, Resource, run, unmountCommand } from '../../compat-tests/fixtures/resource.mjs';
import { PlainError } from './run.mjs';

const ADDRESS = '10.77.0.1';
const VOLUME = 'replicated';
export const BRICKS = 3;

/** Processes whose command line names a path of ours. */
function processesNaming(text) {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

export class GlusterVolume {
  #resource = new Resource('gluster');
  #space = `ioengine-gluster-${process.pid}`;
  mountPoint = this.#resource.path('mount');
  /** The same files, none of which is kept in the page cache. */
  uncached = this.#resource.path('uncached');

  get #socket() {
    return this.#resource.path('glusterd.socket');
  }

  #inside(program, args) {
    return run('nsenter', [`--net=/run/netns/${this.#space}`, program, ...args], { timeout: 120_000 });
  }

  #gluster(...args) {
    return this.#inside('gluster', ['--mode=script', `--glusterd-sock=${this.#socket}`, ...args]);
  }

  brick(index) {
    return this.#resource.path(`brick-${index}`);
  }

  #configure() {
    const folder = this.#resource.path('daemon');
    for (const name of [folder, this.mountPoint, this.uncached, this.#resource.path('run')]) mkdirSync(name);
    for (let i = 1; i <= BRICKS; i++) mkdirSync(this.brick(i));
    const options = {
      'working-directory': folder,
      'run-directory': this.#resource.path('run'),
      'glusterd-sockfile': this.#socket,
      'transport-type': 'socket',
      'transport.socket.bind-address': ADDRESS,
    };
    const lines = Object.entries(options).map(([name, value]) => `  option ${name} ${value}`);
    const file = this.#resource.path('glusterd.vol');
    writeFileSync(file, `volume management\n  type mgmt/glusterd\n${lines.join('\n')}\nend-volume\n`);
    return file;
  }

  async start() {
    const space = quote(this.#space);
    const folder = quote(this.#resource.folder);
    this.#resource.undo(`ip netns del ${space}`);
    run('ip', ['netns', 'add', this.#space]);
    run('ip', ['-n', this.#space, 'link', 'set', 'lo', 'up']);
    run('ip', ['-n', this.#space, 'addr', 'add', `${ADDRESS}/32`, 'dev', 'lo']);
    const volfile = this.#configure();
    // The daemon, the bricks, the healer and the client all name the folder in their command lines.
    this.#resource.undo(
      `for p in $(pgrep -f ${folder}/); do case $(cat /proc/$p/comm) in gluster*) kill -9 $p;; esac; done; sleep 0.3`,
    );
    this.#resource.undo(unmountCommand(this.mountPoint));
    this.#resource.undo(unmountCommand(this.uncached));
    const log = ['-l', this.#resource.path('glusterd.log')];
    this.#inside('glusterd', ['-f', volfile, '-p', this.#resource.path('glusterd.pid'), ...log]);
    const bricks = Array.from({ length: BRICKS }, (_, i) => `${ADDRESS}:${this.brick(i + 1)}`);
    await this.#eventually('the volume', () =>
      this.#gluster('volume', 'create', VOLUME, 'replica', String(BRICKS), ...bricks, 'force'),
    );
    this.#gluster('volume', 'start', VOLUME);
    for (const [folder, mode] of [
      [this.mountPoint, 'disable'],
      [this.uncached, 'enable'],
    ]) {
      await this.#eventually('the mount', () => this.#mount(folder, mode));
    }
  }

  #mount(folder, directMode) {
    const client = [`--volfile-server=${ADDRESS}`, `--volfile-id=/${VOLUME}`, '-l', this.#resource.path('client.log')];
    this.#inside('glusterfs', [...client, `--direct-io-mode=${directMode}`, folder]);
    run('mountpoint', ['-q', folder]);
  }

  async #eventually(what, attempt) {
    for (let tries = 0; ; tries++) {
      try {
        return attempt();
      } catch (error) {
        if (tries >= 30) throw new PlainError(`${what} could not be had: ${error.message}`);
        await sleep(500);
      }
    }
  }

  /** Ends the server of one brick as a crash does. */
  killBrick(index) {
    const name = path.basename(this.brick(index));
    const found = processesNaming(`${this.brick(index)}\0`).filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'glusterfsd',
    );
    if (found.length === 0) throw new PlainError(`${name} has no server`);
    for (const pid of found) process.kill(Number(pid), 'SIGKILL');
  }

  /** Starts what has been killed, and waits until the bricks are the same again. Returns the seconds. */
  async heal(seconds) {
    const started = performance.now();
    this.#gluster('volume', 'start', VOLUME, 'force');
    // The healer has to find the brick first.
    await this.#eventually('a heal', () => this.#gluster('volume', 'heal', VOLUME));
    for (;;) {
      const text = this.#gluster('volume', 'heal', VOLUME, 'statistics', 'heal-count');
      const left = [...text.matchAll(/Number of entries: (\S+)/g)].map(([, count]) => count);
      if (left.length === BRICKS && left.every((count) => count === '0')) break;
      if (performance.now() - started > seconds * 1000) throw new PlainError(`not healed after ${seconds} s:\n${text}`);
      await sleep(1000);
    }
    return (performance.now() - started) / 1000;
  }

  close() {
    this.#resource.close();
  }
}
