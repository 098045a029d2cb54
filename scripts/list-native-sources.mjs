// Prints the sources of the addon for binding.gyp, relative to the repository.
import path from 'node:path';
import { addonSources, root } from './lib/paths.mjs';

for (const file of addonSources()) console.log(path.relative(root, file));
