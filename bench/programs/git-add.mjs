// Adds a tree to a new repository and commits it: FOLDER, with the tree in FOLDER/tree
import fs from 'node:fs';
import git from 'isomorphic-git';

const dir = `${process.argv[2]}/tree`;
const author = { name: 'A U Thor', email: 'author@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 };
await git.init({ fs, dir, defaultBranch: 'main' });
await git.add({ fs, dir, filepath: '.' });
console.log(await git.commit({ fs, dir, message: 'all of it', author }));
