// npm run build:native: compiles the addon if its sources changed (--rebuild: in any case).
import { buildNative } from './lib/native-build.mjs';
import { main } from './lib/run.mjs';

await main(() => buildNative({ rebuild: process.argv.includes('--rebuild') }));
