// What npm runs before npm pack and npm publish: builds what goes into the package, and refuses one that somebody could
// not use: with a binary missing, empty, unstripped, for the wrong machine or for a system that is too new, or too big.
// Other package managers run it also where the package is installed from git: then it is built for this machine.
import { buildForThisMachine } from './lib/local-prebuild.mjs';
import { buildPrebuilds } from './lib/prebuilds.mjs';
import { PACKED_BYTES_MAX, problemsOfPackage } from './lib/package-check.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { main, PlainError, runQuietly } from './lib/run.mjs';
import { buildTypescript } from './lib/typescript-build.mjs';
import { existsSync } from 'node:fs';

/** What is wrong with the tarball that is about to be made, beyond its files. */
function problemsOfTarball() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const { status, stdout, stderr } = runQuietly('npm', args);
  if (status !== 0) return [`npm pack --dry-run failed: ${stderr.trim()}`];
  const parsed = JSON.parse(stdout);
  // npm 11 and older print a list, npm 12 an object by package name.
  const [{ size, files }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  const problems = [];
  if (size > PACKED_BYTES_MAX) problems.push(`the tarball has ${size} bytes, and ${PACKED_BYTES_MAX} are the limit`);
  // With it npm would compile on every machine that installs the package.
  if (files.some((file) => file.path === 'binding.gyp')) problems.push('binding.gyp is in the tarball');
  return problems;
}

const { npm_lifecycle_event: isRunByManager, npm_command: command } = process.env;
const isForOthers = isRunByManager === undefined || ['pack', 'publish'].includes(command);

await main(async () => {
  if (!isForOthers) return buildForThisMachine();
  if (!existsSync(inRoot('node_modules', 'typescript'))) throw new PlainError('run npm ci first');
  buildTypescript();
  await buildPrebuilds();
  const problems = [...problemsOfPackage(root), ...problemsOfTarball()];
  if (problems.length > 0) throw new PlainError(`this package is not to be published:\n  ${problems.join('\n  ')}`);
});
