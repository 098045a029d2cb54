// The harness must be able to fail: parts of the suite run in children against node:fs copies that are broken on
// purpose, and every one of them has to turn red, while an unbroken copy stays green. It is about the tests and not
// about a backend, so it lives in the folder that runs once.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const here = path.dirname(fileURLToPath(import.meta.url));
const tests = path.dirname(here);
const subjects = path.join(tests, 'differential/subjects');
const mocha = path.join(path.dirname(createRequire(import.meta.url).resolve('mocha/package.json')), 'bin/mocha.js');

/** Fault, test file, and the tests in it that have to see it. */
const EXPECTED_RED = [
  ['one wrong byte in fs.read', 'parity/read.test.mjs', 'positions'],
  ['one wrong byte in handle.read', 'parity/handle-io.test.mjs', 'FileHandle.read positions'],
  ['one wrong byte in handle.read', 'differential/steps.test.mjs', 'agree after every step'],
  ['one wrong byte in handle.read', 'differential/direct.test.mjs', 'tmpfs random operations'],
  ['one wrong byte in handle.read', 'differential/shadow.test.mjs', 'temp folder random operations, buffered'],
  ['one wrong byte in handle.read', 'differential/concurrent-blocks.test.mjs', 'temp folder buffered'],
  ['one write too short on disk', 'parity/write.test.mjs', 'argument forms of buffers'],
  ['one write too short on disk', 'differential/steps.test.mjs', 'agree after every step'],
  ['a listing that loses one name', 'differential/paths.test.mjs', 'agree after every step'],
  ['a removal that spares one file', 'differential/paths.test.mjs', 'agree after every step'],
  ['a lost callback', 'parity/read.test.mjs', 'argument forms'],
  ['a callback called twice', 'parity/read.test.mjs', 'argument forms'],
  ['a callback inside the call', 'parity/read.test.mjs', 'wrong kinds of descriptors'],
  ['a wrong error code', 'parity/open.test.mjs', 'flags r'],
  ['keys of an error in another order', 'parity/open.test.mjs', 'flags r'],
  ['a throw instead of a rejection', 'parity/read-file.test.mjs', 'paths that fail'],
  ['the file position is not moved', 'parity/read.test.mjs', 'consecutive reads'],
  ['a descriptor that is never closed', 'parity/read-file.test.mjs', 'sizes around'],
  ['append that forgets to append', 'parity/write-file.test.mjs', 'appendFile sizes'],
  ['a stream that loses one chunk', 'streams/read.test.mjs', 'sizes around'],
  ['a stream that loses one chunk', 'streams/control.test.mjs', 'copy of 5000001'],
  ['a stream that closes before it ends', 'streams/read.test.mjs', 'sizes around'],
  ['a wrong length in bytesWritten', 'parity/handle-io.test.mjs', 'FileHandle.write argument forms'],
  ['async context lost', 'parity/async-order.test.mjs', 'AsyncLocalStorage'],
  ['a missing name', 'surface/names.test.mjs', 'lutimes'],
  ['a wrong arity', 'surface/names.test.mjs', 'writev'],
];

function runMocha(subject, file, grep, fault) {
  // Without shrinking: it is enough to know that the property failed.
  const environment = { ...process.env, IOENGINE_RUNS: '10', IOENGINE_SHRINK: '0' };
  // A broken subject lets tests wait for what never comes.
  if (fault) environment.IOENGINE_TEST_PATIENCE_MS = '5000';
  environment.IOENGINE_TEST_SUBJECT = path.join(subjects, `${subject}.cjs`);
  if (fault) environment.IOENGINE_TEST_FAULT = fault;
  const words = grep
    .split(' ')
    .map((word) => word.replaceAll('.', '\\.'))
    .join('.*');
  const pattern = `/${words}/`;
  const child = spawn(
    process.execPath,
    [mocha, '--no-config', '--reporter', 'json', '--timeout', '60000', '--exit', '-g', pattern, path.join(tests, file)],
    {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => {
    stdout += part;
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const start = stdout.search(/^\{/m);
      if (start < 0) return reject(new Error(`no report from mocha: ${stdout} ${stderr}`));
      const { stats, failures, pending } = JSON.parse(stdout.slice(start));
      return resolve({ ...stats, failures, pending });
    });
  });
}

describe('differential: the harness can fail', () => {
  const files = [...new Set(EXPECTED_RED.map(([, file, grep]) => `${file}|${grep}`))];
  for (const entry of files) {
    const [file, grep] = entry.split('|');
    it(`green against an unbroken copy: ${file}, ${grep}`, async () => {
      const { passes, failures } = await runMocha('reference', file, grep);
      expect(failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`)).to.deep.equal([]);
      expect(passes, 'tests that ran').to.be.greaterThan(0);
    });
  }

  for (const [fault, file, grep] of EXPECTED_RED) {
    it(`red: ${fault}, in ${file}, ${grep}`, async () => {
      const { failures } = await runMocha('broken', file, grep, fault);
      expect(failures.length, `the suite did not notice: ${fault}`).to.be.greaterThan(0);
    });
  }
});
