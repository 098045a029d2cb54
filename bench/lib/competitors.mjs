// Other runtimes to compare with, from the npm registry. They are installed only when asked for, into a folder that
// git ignores; what is not there is named in the output.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { competitorsFolder } from './paths.mjs';

/** @typedef {'node24' | 'node26' | 'bun' | 'deno'} CompetitorKey */

const arm = process.arch === 'arm64';

/** Package to install, and where its binary lies inside (the platform package's own file: no install scripts run). */
const sources = {
  node24: { package: `node-linux-${process.arch}@24`, binary: `node-linux-${process.arch}/bin/node` },
  node26: { package: `node-linux-${process.arch}@26`, binary: `node-linux-${process.arch}/bin/node` },
  bun: { package: 'bun', binary: `@oven/bun-linux-${arm ? 'aarch64' : 'x64'}/bin/bun` },
  deno: { package: 'deno', binary: `@deno/linux-${arm ? 'arm64' : 'x64'}-glibc/deno` },
};

export const competitorKeys = /** @type {CompetitorKey[]} */ (Object.keys(sources));

/**
 * @param {CompetitorKey} key
 * @returns {string | undefined} its binary
 */
export function competitorBinary(key) {
  const path = join(competitorsFolder, key, 'node_modules', sources[key].binary);
  return fs.existsSync(path) ? path : undefined;
}

/** @param {(text: string) => void} log */
export function installCompetitors(log) {
  for (const key of competitorKeys.filter((each) => !competitorBinary(each))) {
    const folder = join(competitorsFolder, key);
    fs.mkdirSync(folder, { recursive: true });
    log(`installing ${sources[key].package}`);
    try {
      const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
      execFileSync('npm', ['install', ...options, sources[key].package], { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      const { stderr } = /** @type {{ stderr?: Buffer }} */ (error);
      log(`  failed: ${stderr?.toString().trim().split('\n').at(-1) ?? 'no message'}`);
    }
  }
}
