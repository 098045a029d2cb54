// Copies a tree: TREE TARGET
import { cp } from 'node:fs/promises';

await cp(process.argv[2], process.argv[3], { recursive: true });
