// Packs a tree: TREE FOLDER
import { create } from 'tar';

const [tree, folder] = process.argv.slice(2);
await create({ file: `${folder}/tree.tar`, cwd: tree, portable: true }, ['.']);
