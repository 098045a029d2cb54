// npm run build:asan: the addon with AddressSanitizer and UndefinedBehaviorSanitizer, as build-asan/ioengine.node.
// npm run test:asan runs the suite on it; CONTRIBUTING.md says how to run anything else on it.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileObjects, link, sanitizerFlags } from './lib/compile.mjs';
import { addonFlags, addonLinkFlags } from './lib/native-build.mjs';
import { addonSources, asanAddonFile, inRoot } from './lib/paths.mjs';
import { main } from './lib/run.mjs';

export async function buildAsan() {
  const sanitizer = sanitizerFlags('address');
  const objects = await compileObjects(addonSources(), ['-g', ...addonFlags(), ...sanitizer], inRoot('build-asan'));
  await link(objects, [...sanitizer, ...addonLinkFlags], asanAddonFile);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(buildAsan);
