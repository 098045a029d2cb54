// Children: a snippet is run once with node:fs as `fs` and once with ours, and what the process did is compared.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { skipBecause } from '../../helpers/compare.mjs';
import { patience_ms } from '../../helpers/patience.mjs';
import { removeDirectory, twinDirectories } from '../../helpers/tempdir.mjs';

const ORACLE = new URL('../../helpers/oracle.mjs', import.meta.url).href;
const NOBODY = '65534';

const prologue = (side, dir) => `
  import { SIDES } from ${JSON.stringify(ORACLE)};
  import { AsyncLocalStorage } from 'node:async_hooks';
  const { fs, fsp } = SIDES.find((side) => side.name === ${JSON.stringify(side)});
  const side = ${JSON.stringify(side)};
  const dir = ${JSON.stringify(dir)};
  const log = (...parts) => process.stdout.write(parts.map(String).join(' ').replaceAll(dir, '<dir>') + '\\n');
`;

/** Runs the snippet on one side; it has `fs`, `fsp`, `dir`, `log` and `AsyncLocalStorage`. */
export function runSnippet(side, dir, source, { nodeArguments = [], wrap = [] } = {}) {
  const command = [
    ...wrap,
    process.execPath,
    ...nodeArguments,
    '--input-type=module',
    '-e',
    prologue(side, dir) + source,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'])
      child[stream].on('data', (chunk) => {
        out[stream] += chunk;
      });
    const timer = setTimeout(() => child.kill('SIGKILL'), patience_ms);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...out });
    });
  });
}

/** The snippet on both sides in twin directories; standard output, exit code and signal must be equal. */
export async function sameInChild(source, { prepare = () => {}, check = () => {}, ...options } = {}) {
  const twins = twinDirectories();
  try {
    const results = {};
    for (const side of ['node', 'ours']) {
      prepare(twins[side]);
      const { stdout, stderr, code, signal } = await runSnippet(side, twins[side], source, options);
      expect(stdout, `${side} printed nothing; stderr: ${stderr}`).to.not.equal('');
      results[side] = { stdout, code, signal };
      check(twins[side], { stdout, stderr, code, signal });
    }
    expect(results.ours).to.deep.equal(results.node);
    return results.node;
  } finally {
    removeDirectory(twins.root);
  }
}

/** Calls on files without rights, as another user. */
export async function runAsNobody(test, calls) {
  const setpriv = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (process.getuid() !== 0) return skipBecause(test, 'only root can become another user');
  if (spawnSync(setpriv[0], [...setpriv.slice(1), process.execPath, '-e', '0']).status !== 0) {
    return skipBecause(test, 'setpriv cannot start node as another user here');
  }
  const source = `
    for (const [name, argument] of ${JSON.stringify(calls)}) {
      for (const file of ['secret', 'readonly', 'closed/inside']) {
        const show = (kind, error) => log(kind, name, argument, file, error ? [Object.keys(error), error.code, error.errno, error.syscall, error.path, error.message] : 'done');
        await fsp[name](dir + '/' + file, argument ?? undefined).then((value) => value.close?.().then(() => show('promise')) ?? show('promise'), (error) => show('promise', error));
        await new Promise((resolve) => fs[name](dir + '/' + file, argument ?? 'utf8', (error, fd) => {
          if (typeof fd === 'number') fs.closeSync(fd);
          show('callback', error);
          resolve();
        }));
      }
    }`;
  const prepare = (dir) => {
    fs.chmodSync(path.dirname(dir), 0o755);
    fs.writeFileSync(path.join(dir, 'secret'), 's', { mode: 0o600 });
    fs.writeFileSync(path.join(dir, 'readonly'), 's', { mode: 0o444 });
    fs.mkdirSync(path.join(dir, 'closed'), { mode: 0o700 });
    fs.writeFileSync(path.join(dir, 'closed/inside'), 's');
  };
  const seen = await sameInChild(source, { prepare, wrap: setpriv });
  expect(seen.stdout).to.include('EACCES');
}
