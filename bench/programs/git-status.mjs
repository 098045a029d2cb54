// What has changed in a repository: FOLDER, with the repository in FOLDER/tree
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import git from 'isomorphic-git';

const matrix = await git.statusMatrix({ fs, dir: `${process.argv[2]}/tree` });
console.log(matrix.length, createHash('sha256').update(JSON.stringify(matrix)).digest('hex'));
