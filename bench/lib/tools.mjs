// Tools that the programs case runs and that the project itself does not use: installed when asked for, beside the
// other runtimes, and absent otherwise.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { competitorsFolder } from './paths.mjs';

const folder = join(competitorsFolder, 'tools');
const packages = ['eslint@10.15.0', 'typescript@5.9.3', 'npm@11.21.2'];

const scripts = {
  eslint: 'eslint/bin/eslint.js',
  tsc: 'typescript/bin/tsc',
  npm: 'npm/bin/npm-cli.js',
};

/** An application for `npm ci`, whose packages are in a cache of its own. */
export const application = join(competitorsFolder, 'application');
export const npmCache = join(competitorsFolder, 'npm-cache');
const dependencies = { chai: '6.3.0', mocha: '12.0.3', webpack: '5.112.2', 'isomorphic-git': '1.44.11' };

/** @param {keyof typeof scripts} name @returns {string | undefined} its main file, to be run by a Node */
export function toolScript(name) {
  const file = join(folder, 'node_modules', scripts[name]);
  const isThere = fs.existsSync(file) && (name !== 'npm' || fs.existsSync(join(application, 'package-lock.json')));
  return isThere ? file : undefined;
}

/** @param {string[]} args @param {string} [cwd] */
const npm = (args, cwd) => execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });

function makeApplication() {
  fs.rmSync(application, { recursive: true, force: true });
  fs.mkdirSync(application, { recursive: true });
  const about = { name: 'application', version: '1.0.0', private: true, dependencies };
  fs.writeFileSync(join(application, 'package.json'), JSON.stringify(about, null, 2));
  // This fills the cache, too. With the addresses in the lock file nothing but the archives is looked up.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit-lockfile-registry-resolved=false'];
  npm(['install', ...options, '--cache', npmCache], application);
  fs.rmSync(join(application, 'node_modules'), { recursive: true });
}

/** @param {(text: string) => void} log */
export function installTools(log) {
  if (Object.keys(scripts).every((name) => toolScript(/** @type {keyof typeof scripts} */ (name)))) return;
  log(`installing ${packages.join(', ')}`);
  try {
    fs.mkdirSync(folder, { recursive: true });
    npm(['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, ...packages]);
    makeApplication();
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: Buffer }} */ (error);
    log(`  failed: ${stderr?.toString().trim().split('\n').at(-1) ?? 'no message'}`);
  }
}
