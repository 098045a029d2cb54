// Lines of a log through createWriteStream, waiting for 'drain': FOLDER LINES

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const [folder, lines] = process.argv.slice(2);
const stream = createWriteStream(`${folder}/app.log`);
for (let i = 0; i < Number(lines); i++) {
  if (!stream.write(`2026-01-01T00:00:00.000Z info request ${i} served, status 200, 1234 bytes\n`)) {
    await once(stream, 'drain');
  }
}
stream.end();
await once(stream, 'close');
console.log(stream.bytesWritten);
