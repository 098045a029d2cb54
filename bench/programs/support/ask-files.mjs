// Asks a file server for files of the tree of small files, and prints a digest of all that it got: PORT FILES REQUESTS
import { createHash } from 'node:crypto';
import http from 'node:http';
import { pathOfFile, verifyFile } from '../../lib/small-files.mjs';

const [port, files, requests] = process.argv.slice(2).map(Number);
const CONNECTIONS = 32;
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const digests = new Array(requests);

/** @param {number} index @returns {Promise<Buffer>} */
function ask(index) {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: '127.0.0.1', path: pathOfFile('', index) };
    const request = http.get(options, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)));
    });
    request.on('error', reject);
  });
}

let next = 0;
async function loop() {
  while (next < requests) {
    const i = next++;
    const index = (i * 7919) % files;
    const bytes = await ask(index);
    verifyFile(bytes, index);
    digests[i] = createHash('sha256').update(bytes).digest('hex');
  }
}
await Promise.all(Array.from({ length: CONNECTIONS }, loop));
agent.destroy();
console.log(requests, createHash('sha256').update(digests.join()).digest('hex'));
