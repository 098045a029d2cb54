// npm run prebuild: the addon for every target, prebuilds/<target>/ioengine.node, compiled on this machine with a
// compiler that is fetched once (about 55 MB). Does nothing when all are current; --rebuild: in any case.
import { buildPrebuilds, prebuildFile } from './lib/prebuilds.mjs';
import { main, say } from './lib/run.mjs';
import { targets } from './lib/targets.mjs';
import { statSync } from 'node:fs';

await main(async () => {
  await buildPrebuilds({ rebuild: process.argv.includes('--rebuild') });
  for (const target of targets) say(`${target.name}  ${Math.round(statSync(prebuildFile(target)).size / 1024)} KiB`);
});
