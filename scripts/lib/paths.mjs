// Where things are in the repository: the only file of the scripts that knows.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export const inRoot = (...parts) => path.join(root, ...parts);

export const addonFile = inRoot('build', 'Release', 'ioengine.node');
export const asanAddonFile = inRoot('build-asan', 'ioengine.node');
export const faultsAddonFile = inRoot('build-faults', 'ioengine.node');

/** Every file below a folder whose name ends with one of the endings, as sorted absolute paths. */
export function filesBelow(folder, endings) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
      found.push(...filesBelow(full, endings));
    } else if (endings.some((ending) => entry.name.endsWith(ending))) {
      found.push(full);
    }
  }
  return found.sort();
}

const below = (file, ...folder) => file.startsWith(inRoot('csrc', ...folder) + path.sep);

/** Sources of the addon: everything but the tests, the faults and the mock backend, which only tests use. */
export function addonSources() {
  return filesBelow(inRoot('csrc'), ['.cc']).filter(
    (file) => !below(file, 'test') && !below(file, 'faults') && !below(file, 'backend', 'mock'),
  );
}

/** What the addon with fault points has in addition. */
export const faultSources = () => filesBelow(inRoot('csrc', 'faults'), ['.cc']);

/** Sources of the engine without Node: what the native tests are linked with, mock backend and faults included. */
export function engineSources() {
  return filesBelow(inRoot('csrc'), ['.cc']).filter(
    (file) =>
      !below(file, 'test') &&
      !below(file, 'binding') &&
      !below(file, 'faults', 'addon') &&
      file !== inRoot('csrc', 'addon.cc'),
  );
}

/** Native tests: one program per file. Other files in csrc/test are helpers that every program is linked with. */
export function nativeTestSources() {
  const all = filesBelow(inRoot('csrc', 'test'), ['.cc']);
  return {
    programs: all.filter((file) => file.endsWith('_test.cc')),
    helpers: all.filter((file) => !file.endsWith('_test.cc')),
  };
}
