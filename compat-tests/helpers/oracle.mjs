// The two sides of every comparison: node:fs is the oracle, `ioengine/fs` is the subject.
//
// IOENGINE_TEST_SUBJECT=<path or specifier> puts another module in the subject's place. It exists so that the
// harness can prove that it is able to fail: surface/harness.test.mjs runs parts of the suite against
// deliberately broken copies of node:fs and expects red (see differential/subjects/).

import nodeFs from 'node:fs';
import nodePromises from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

const override = process.env.IOENGINE_TEST_SUBJECT;

function resolveSpecifier() {
  if (!override) return 'ioengine/fs';
  return isAbsolute(override) ? pathToFileURL(override).href : override;
}

export const subjectOverridden = Boolean(override);
export const subjectSpecifier = resolveSpecifier();
/** What `require` needs for the same module: it takes paths, not file: URLs. */
export const subjectRequest = override ?? 'ioengine/fs';
export const require = createRequire(import.meta.url);

const subjectNamespace = await import(subjectSpecifier);

export const node = nodeFs;
export const nodeP = nodePromises;
export const ours = subjectNamespace.default;
export const oursP = override ? ours.promises : (await import('ioengine/fs/promises')).default;
export const oursNamespace = subjectNamespace;

/** Both sides in the order in which they are run. */
export const SIDES = [
  { name: 'node', fs: node, fsp: nodeP },
  { name: 'ours', fs: ours, fsp: oursP },
];
