// npm run build:asan: the addon with AddressSanitizer and UndefinedBehaviorSanitizer, as build-asan/ioengine.node.
// npm run test:asan runs the suite on it; CONTRIBUTING.md says how to run anything else on it.
import path from 'node:path';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commonFlags, compileObjects, link, sanitizerFlags } from './lib/compile.mjs';
import { localNodeHeaders } from './lib/native-build.mjs';
import { addonSources, asanAddonFile, inRoot } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';

export async function buildAsan() {
  const headers = localNodeHeaders();
  if (!headers) throw new PlainError(`no headers of Node ${process.version} beside ${process.execPath}`);
  const flags = [
    '-g',
    '-O1',
    '-fPIC',
    ...commonFlags,
    ...sanitizerFlags('address'),
    '-DNAPI_VERSION=9',
    '-DNODE_GYP_MODULE_NAME=ioengine',
    '-DBUILDING_NODE_EXTENSION',
    `-I${path.join(headers, 'include', 'node')}`,
  ];
  const objects = await compileObjects(addonSources(), flags, inRoot('build-asan'));
  const linkFlags = ['-shared', ...sanitizerFlags('address'), '-Wl,-z,nodelete', '-l:liburing.a', '-lpthread'];
  await link(objects, linkFlags, asanAddonFile);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(buildAsan);
