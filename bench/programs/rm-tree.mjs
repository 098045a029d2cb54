// Removes a tree: TREE
import { rm } from 'node:fs/promises';

await rm(process.argv[2], { recursive: true });
