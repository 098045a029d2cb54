// npm run build:faults: the addon with fault points (csrc/faults/), as build-faults/ioengine.node. A test, or anything
// else, loads it with IOENGINE_ADDON.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileObjects, link, withChange, wrapFlags } from './lib/compile.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { addonFlags, addonLinkFlags } from './lib/native-build.mjs';
import { addonSources, faultSources, faultsAddonFile, inRoot } from './lib/paths.mjs';
import { main } from './lib/run.mjs';

/** Builds what has changed. Two runs of the suite may ask for it at the same time. With a change of one source. */
export const buildFaults = (change) =>
  withSetupLock(async () => {
    const flags = [...addonFlags(), '-DIOENGINE_FAULT_POINTS=1'];
    const sources = [...addonSources(), ...faultSources()];
    const objects = await compileObjects(sources, flags, inRoot('build-faults'));
    const changed = await withChange(objects, sources, flags, change);
    const file = change === undefined ? faultsAddonFile : path.join(change.folder, 'ioengine.node');
    await link(changed, [...wrapFlags(faultSources()), ...addonLinkFlags], file);
  });

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main(() => buildFaults());
