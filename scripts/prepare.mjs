// What npm runs when the package is installed from git (npm i git+https://…), and behind npm install in a clone: both
// builds, with the compiler of this machine. Installing from the registry runs nothing.
import { buildNative, nativeIsCurrent } from './lib/native-build.mjs';
import { copyLocalBuild } from './lib/local-prebuild.mjs';
import { prebuildsAreThere, prebuildsFolder } from './lib/prebuilds.mjs';
import { explainMissing, requirements } from './lib/requirements.mjs';
import { main } from './lib/run.mjs';
import { buildTypescript } from './lib/typescript-build.mjs';

await main(() => {
  if (!nativeIsCurrent()) explainMissing(requirements.build);
  buildNative();
  buildTypescript();
  // Those of `npm run prebuild` are for this machine as well.
  if (!prebuildsAreThere()) copyLocalBuild(prebuildsFolder);
});
