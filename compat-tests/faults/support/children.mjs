// Processes on the addon with fault points.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFaults } from '../../../scripts/build-faults.mjs';
import { localNodeHeaders } from '../../../scripts/lib/native-build.mjs';
import { faultsAddonFile } from '../../../scripts/lib/paths.mjs';
import { skip } from '../../helpers/backend.mjs';
import { runChild } from '../../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../../helpers/tempdir.mjs';

/** The long run of `npm run test:full`. */
export const isFull = process.env.IOENGINE_TEST_FULL === '1';

/** A before hook: builds what has changed, where this Node has come with its headers; its addon runs on the others. */
export async function needFaultPoints(context) {
  if (localNodeHeaders() !== undefined) await buildFaults();
  if (!existsSync(faultsAddonFile)) {
    skip(context, `because there is no ${path.basename(path.dirname(faultsAddonFile))}/, and no headers to build it`);
  }
}

/** What a program of this folder says in the end. */
export async function report(program, argument, env = {}) {
  const folder = temporaryDirectory();
  try {
    const child = await runChild({
      file: fileURLToPath(new URL(program, import.meta.url)),
      args: [JSON.stringify({ ...argument, folder })],
      env: { IOENGINE_ADDON: process.env.IOENGINE_ADDON ?? faultsAddonFile, NODE_OPTIONS: undefined, ...env },
      timeoutMs: isFull ? 900_000 : undefined,
    });
    if (child.status !== 0) throw new Error(`the process did not survive: ${child.describe()}`);
    return child.json();
  } finally {
    removeDirectory(folder);
  }
}
