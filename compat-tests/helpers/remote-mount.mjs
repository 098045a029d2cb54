// A mount that is served by someone else, as NFS or CephFS is: remotefs.c behind FUSE. It answers late when it is told
// to, not at all while it is stopped, and never again once it is killed.
//
//   const mount = await openRemoteMount();           // or openRemoteMount({ delayUs: 1000, directIo: true })
//   if (mount.skipped) skip(this, mount.skipped);
//   mount.stop();                                    // each call below mount.mountPoint hangs until mount.go()
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createInterface } from 'node:readline';
import { quote, Resource } from '../fixtures/resource.mjs';
import { buildFuseProgram, fuseObstacle } from './fuse-program.mjs';

/** Why there can be no such mount here, or undefined. */
export const remoteMountObstacle = () => fuseObstacle();

const build = () => buildFuseProgram('remotefs', ['remotefs_tree.h']);

class RemoteMount {
  #resource;
  #server;
  #lines;

  constructor(resource, server, lines, mountPoint) {
    this.#resource = resource;
    this.#server = server;
    this.#lines = lines;
    this.mountPoint = mountPoint;
  }

  async #ask(command) {
    this.#server.stdout.ref();
    this.#server.stdin.write(`${command}\n`);
    const { value } = await this.#lines.next();
    this.#server.stdout.unref();
    return value;
  }

  /** Each request is answered so much later from now on. */
  setDelay(us) {
    return this.#ask(`delay-us ${us}`);
  }

  /** How many requests of each kind came since it was last asked: { lookup, open, read, … }. */
  async counts() {
    return JSON.parse(await this.#ask('counts'));
  }

  /** From now on nothing answers. */
  stop() {
    this.#server.kill('SIGSTOP');
  }

  go() {
    this.#server.kill('SIGCONT');
  }

  /** Nothing ever answers again: the kernel fails every call that waits, with ECONNABORTED, and later ones. */
  kill() {
    this.#server.kill('SIGKILL');
  }

  close() {
    this.#resource.close();
  }
}

/**
 * @param {{ delayUs?: number, cacheS?: number, directIo?: boolean }} [options]
 * @returns {Promise<RemoteMount & { skipped?: string }>} with `skipped` set there is nothing but the reason
 */
export async function openRemoteMount({ delayUs = 0, cacheS = 1, directIo = false } = {}) {
  const obstacle = remoteMountObstacle();
  if (obstacle !== undefined) return { skipped: obstacle };
  const program = build();
  const resource = new Resource('remote');
  const mountPoint = resource.path('mount');
  fs.mkdirSync(mountPoint);
  const options = ['--delay-us', delayUs, '--cache-s', cacheS, ...(directIo ? ['--direct-io'] : [])].map(String);
  const server = spawn(program, [...options, mountPoint], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  // A stopped process has to run to be unmounted in the ordinary way; a killed one is detached.
  const pid = server.pid ?? '';
  const word = quote(mountPoint);
  resource.undo(`kill -CONT ${pid} 2>/dev/null; umount ${word} 2>/dev/null || umount -l ${word}; kill -9 ${pid}`);
  const ended = new Promise((resolve) => server.once('close', resolve));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const said = await Promise.race([lines.next(), ended.then(() => ({ value: 'it ended' }))]);
  if (said.value !== 'ready') {
    resource.close();
    return { skipped: `the FUSE mount was refused: ${said.value}` };
  }
  server.unref();
  server.stdin.unref();
  server.stdout.unref();
  return new RemoteMount(resource, server, lines, mountPoint);
}
