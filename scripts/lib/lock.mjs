// One set-up at a time: two commands started together must not both run npm or the compiler in this folder.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inRoot } from './paths.mjs';
import { say } from './run.mjs';

const lockFile = inRoot('.setup.lock');

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

function tryToTake() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function holder() {
  try {
    return Number(readFileSync(lockFile, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

export async function withSetupLock(body) {
  let told = false;
  while (!tryToTake()) {
    const pid = holder();
    if (pid !== undefined && !isAlive(pid)) {
      rmSync(lockFile, { force: true });
      continue;
    }
    if (!told) say(`set-up: waiting for another set-up in this folder (process ${pid ?? 'unknown'})`);
    told = true;
    await delay(200);
  }
  try {
    return await body();
  } finally {
    rmSync(lockFile, { force: true });
  }
}
