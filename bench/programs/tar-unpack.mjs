// Unpacks an archive: ARCHIVE FOLDER
import { mkdir } from 'node:fs/promises';
import { extract } from 'tar';

const [archive, folder] = process.argv.slice(2);
await mkdir(`${folder}/unpacked`);
await extract({ file: archive, cwd: `${folder}/unpacked` });
