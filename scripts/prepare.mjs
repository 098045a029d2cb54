// What npm runs when the package is installed from git (npm i git+https://…), and behind npm install in a clone: both
// builds, with the compiler of this machine. Installing from the registry runs nothing.
import { buildForThisMachine } from './lib/local-prebuild.mjs';
import { main } from './lib/run.mjs';

await main(buildForThisMachine);
