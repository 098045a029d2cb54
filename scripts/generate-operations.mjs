// Writes src/native/operations.ts and the table in docs/backends.md from csrc/backend/operations.def, the one list of
// the engine's operations. --check writes nothing and fails when they are not current.
import { readFileSync } from 'node:fs';
import { table, withSection, writeGenerated } from './lib/generated.mjs';
import { inRoot } from './lib/paths.mjs';
import { main, PlainError } from './lib/run.mjs';

const source = inRoot('csrc', 'backend', 'operations.def');
const entry = /^IOE_OPERATION\((\w+), (\w+), (yes|no), (\w+), (\w+), "([^"]+)"\)$/;

function readOperations() {
  const lines = readFileSync(source, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('//')) return [];
    const found = entry.exec(line);
    if (!found) throw new PlainError(`operations.def:${index + 1} is no IOE_OPERATION(...) on one line: ${line}`);
    const [, , name, inline, uring, aio, reason] = found;
    return [{ name, inline: inline === 'yes', uring, aio, reason }];
  });
}

function typescript(operations) {
  const names = operations.map(({ name }) => `  '${name}',`).join('\n');
  return `// Written by scripts/generate-operations.mjs from csrc/backend/operations.def: change that.

/** The engine's operations. */
export const OPERATION_NAMES = [
${names}
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
`;
}

const code = (text) => (text === 'threads' ? text : `\`${text}\``);

function markdown(operations) {
  const rows = operations.map(({ name, inline, uring, aio, reason }) => [
    code(name),
    inline ? 'yes' : 'no',
    uring === 'threads' ? uring : code(`IORING_OP_${uring}`),
    aio === 'threads' ? aio : code(`IOCB_CMD_${aio}`),
    reason,
  ]);
  return table(['operation', 'inline', 'uring', 'aio', 'why'], rows);
}

await main(() => {
  const operations = readOperations();
  if (operations.length === 0) throw new PlainError('operations.def has no operations');
  const document = inRoot('docs', 'backends.md');
  writeGenerated(
    [
      { file: inRoot('src', 'native', 'operations.ts'), text: typescript(operations) },
      { file: document, text: withSection(document, 'operations', markdown(operations)) },
    ],
    { check: process.argv.includes('--check'), command: 'node scripts/generate-operations.mjs' },
  );
});
