// All the set-up of a bare clone, with nothing but Node's own modules: system packages, npm packages, build.
// What is there already is skipped, so every command can begin with it.
//
//   node scripts/setup.mjs [--for dependencies|build|test|bench|ci]
import { existsSync, realpathSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withSetupLock } from './lib/lock.mjs';
import { buildNative, nativeIsCurrent } from './lib/native-build.mjs';
import { inRoot } from './lib/paths.mjs';
import { ensure, requirements } from './lib/requirements.mjs';
import { main, PlainError, runLoudly, say } from './lib/run.mjs';
import { digestOf, readStamp, writeStamp } from './lib/stamp.mjs';
import { buildTypescript } from './lib/typescript-build.mjs';

const purposes = ['dependencies', 'build', 'test', 'bench', 'ci'];
const lockFile = inRoot('package-lock.json');
const modulesStamp = inRoot('node_modules', '.ioengine-setup');

function checkNode() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) throw new PlainError(`Node.js 20 or newer is needed, this is ${process.version}`);
  if (process.platform !== 'linux') {
    throw new PlainError(`the engine is built on Linux only, this is ${process.platform}`);
  }
}

function modulesAreCurrent() {
  // npm writes this file last, so it also says that an earlier installation was not interrupted.
  const written = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(written)) return false;
  if (readStamp(modulesStamp) === digestOf([lockFile])) return true;
  return statSync(written).mtimeMs >= statSync(lockFile).mtimeMs;
}

function installModules() {
  if (modulesAreCurrent()) return;
  say('set-up: npm ci');
  // Without the scripts: the one of our own builds, which is what comes next, where it is wanted at all.
  runLoudly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeStamp(modulesStamp, digestOf([lockFile]));
}

/** Which system packages a purpose needs beyond the compiler; CI must have them all, elsewhere their lack is said. */
function ensureTools(purpose) {
  if (purpose === 'test') ensure(requirements.test, { optional: true });
  if (purpose === 'bench') ensure(requirements.bench, { optional: true });
  if (purpose === 'ci') ensure([...requirements.test, ...requirements.ci]);
}

export async function setUp({ purpose = 'build' } = {}) {
  if (!purposes.includes(purpose)) {
    throw new PlainError(`unknown purpose ${JSON.stringify(purpose)}: choose one of ${purposes.join(', ')}`);
  }
  checkNode();
  // node-versions.mjs has done it: other versions of Node run what this one has built, as they will from npm.
  if (process.env.IOENGINE_SET_UP === 'done') return;
  await withSetupLock(() => {
    // The compiler is only asked for when there is something to compile: the check itself compiles a program.
    const compilerNeeded = purpose === 'dependencies' || !nativeIsCurrent();
    if (compilerNeeded) ensure(requirements.build);
    ensureTools(purpose);
    installModules();
    if (purpose === 'dependencies') return;
    buildNative();
    buildTypescript();
  });
}

const isProgram = process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isProgram) {
  const at = process.argv.indexOf('--for');
  await main(() => setUp({ purpose: at < 0 ? 'build' : process.argv[at + 1] }));
}
