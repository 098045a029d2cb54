// A file server on `send`, asked for files of a tree over 32 connections by another process: TREE FILES REQUESTS
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import send from 'send';

const [root, files, requests] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  send(request, request.url, { root }).pipe(response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const client = fileURLToPath(new URL('./support/ask-files.mjs', import.meta.url));
// The clients are not what is measured: plain Node on both sides.
const env = { ...process.env, IOENGINE_DISABLE: '1' };
const asking = spawn(process.execPath, [client, String(server.address().port), files, requests], {
  env,
  stdio: ['ignore', 'inherit', 'inherit'],
});
const [code] = await once(asking, 'exit');
server.closeAllConnections();
server.close();
process.exitCode = code;
