// node:fs/promises as it was when it was first needed (see fs.ts).

import type * as PromisesModule from 'node:fs/promises';
import { originals, snapshot } from './fs';

export const nodePromises: typeof PromisesModule =
  originals()?.promises ?? snapshot(require('node:fs/promises') as typeof PromisesModule);
