// Where the benchmark keeps what it makes. All of it is ignored by git and can be deleted at any time.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchFolder = dirname(dirname(fileURLToPath(import.meta.url)));
export const repoFolder = dirname(benchFolder);
export const buildFolder = join(benchFolder, '.build');
export const dataFolder = join(benchFolder, '.data');
export const competitorsFolder = join(benchFolder, '.competitors');
export const workersFolder = join(benchFolder, 'workers');
