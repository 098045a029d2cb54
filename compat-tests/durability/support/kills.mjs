// Programs that are killed at any moment and started again, and what is left of their files each time.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from '../../../examples/write-ahead-log.mjs';
import { startChild } from '../../helpers/child.mjs';
import { randomFrom } from '../../helpers/random.mjs';
import { Expected, readClaims } from './check.mjs';

const program = (name) => path.join(path.dirname(fileURLToPath(import.meta.url)), name);

/** Runs a program until `begun` of it is true, and a random while longer. */
async function killAt(random, options, begun) {
  const child = startChild(options);
  await Promise.race([begun(child), child.ended()]);
  await new Promise((resolve) => setTimeout(resolve, random(60)));
  child.kill('SIGKILL');
  await child.ended();
  if (child.signal !== 'SIGKILL' && child.status !== 0) throw new Error(`it failed by itself: ${child.describe()}`);
  return child;
}

const fileExists = async (file, child) => {
  while (!child.over && !(fs.existsSync(file) && fs.statSync(file).size > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** What a log lacks of what was acknowledged, or has out of order. */
function logFaults(log, acknowledgedFile) {
  const { payloads } = decode(fs.readFileSync(log));
  const next = new Map();
  const faults = [];
  for (const payload of payloads) {
    const [writer, number, filler] = payload.toString('latin1').split(' ');
    if (Number(number) !== (next.get(writer) ?? 0))
      faults.push(`writer ${writer}: ${number} is not ${next.get(writer)}`);
    if (filler.length !== (Number(number) * 131 + Number(writer)) % 3000) faults.push(`${writer} ${number}: not whole`);
    next.set(writer, Number(number) + 1);
  }
  const lines = fs.existsSync(acknowledgedFile) ? fs.readFileSync(acknowledgedFile, 'latin1').split('\n') : [''];
  for (const line of lines.slice(0, -1)) {
    const [writer, number] = line.split(' ');
    if (!(Number(number) < (next.get(writer) ?? 0))) faults.push(`${line} was acknowledged and is not there`);
  }
  return { faults, acknowledged: lines.length - 1 };
}

/** One log, killed and opened again `kills` times; { kills, acknowledged, faults }. */
export async function killLog({ folder, backend, seed, kills, lie = '', until = Number.POSITIVE_INFINITY }) {
  const random = randomFrom(seed);
  const log = path.join(folder, 'log');
  const acknowledgedFile = path.join(folder, 'acknowledged');
  const options = {
    file: program('log-victim.mjs'),
    args: [log, acknowledgedFile, lie],
    env: { IOENGINE_BACKEND: backend },
  };
  const faults = [];
  let done = 0;
  let acknowledged = 0;
  for (; done < kills && Date.now() < until; done++) {
    await killAt(random, options, (child) => child.waitFor(/recovered/).catch(() => {}));
    const found = logFaults(log, acknowledgedFile);
    faults.push(...found.faults.map((text) => `kill ${done}: ${text}`));
    acknowledged = found.acknowledged;
  }
  return { kills: done, acknowledged, faults };
}

/** The victim of the power failures, with fresh files each time. */
export async function killWriters({ folder, backend, seed, kills, lie = '', until = Number.POSITIVE_INFINITY }) {
  const random = randomFrom(seed);
  const faults = [];
  let done = 0;
  let acknowledged = 0;
  for (; done < kills && Date.now() < until; done++) {
    const data = path.join(folder, `data-${done}`);
    const claimsFile = path.join(folder, `claims-${done}`);
    const args = [data, claimsFile, seed + done, 100_000, '', lie].map(String);
    const options = { file: program('victim.mjs'), args, env: { IOENGINE_BACKEND: backend } };
    await killAt(random, options, (child) => fileExists(claimsFile, child));
    const claims = readClaims(claimsFile);
    const expected = new Expected(claims);
    expected.advance(claims.length - 1);
    faults.push(...expected.faults(data).map((text) => `kill ${done}: ${text}`));
    acknowledged += claims.length;
    fs.rmSync(data, { recursive: true });
    fs.rmSync(claimsFile);
  }
  return { kills: done, acknowledged, faults };
}
