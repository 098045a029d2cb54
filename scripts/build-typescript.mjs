// npm run build:ts and npm run typecheck (--check: types only, nothing is written; --rebuild: in any case).
import { main } from './lib/run.mjs';
import { buildTypescript, checkTypes } from './lib/typescript-build.mjs';

await main(() => {
  if (process.argv.includes('--check')) checkTypes();
  else buildTypescript({ rebuild: process.argv.includes('--rebuild') });
});
