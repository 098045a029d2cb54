// A static file server on node:http, asked by curl(1): whole files, ranges, HEAD, conditional requests, many at once.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import send from 'send';
import { REQUESTS } from '../support/requests.mjs';

// curl does not start with the runtime of AddressSanitizer, which sanitized runs preload.
const { LD_PRELOAD: _, ...env } = process.env;
const run = (program, args) => promisify(execFile)(program, args, { env });
const HEADERS = ['content-length', 'content-range', 'content-type', 'accept-ranges', 'etag', 'last-modified'];

/** Status and headers, from what `curl --dump-header -` prints. */
function answerOf(text) {
  const [status, ...lines] = text.trim().split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2)));
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return [status, ...HEADERS.map((name) => lower[name] ?? '')];
}

async function ask(url, out, { name, file, args }, etag) {
  const target = new URL(encodeURI(file), url).href;
  const options = args.map((word) => word.replace('ETAG', etag));
  const body = args.includes('--head') ? [] : ['--output', path.join(out, name), '--dump-header', '-'];
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '60', ...options, ...body, target]);
  return answerOf(stdout);
}

export default async function work({ folder }) {
  const root = path.join(folder, 'tree');
  const out = path.join(folder, 'out');
  const server = http.createServer((request, response) => {
    send(request, decodeURI(new URL(request.url, 'http://x').pathname), { root, dotfiles: 'allow' }).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  const answers = {};
  const [first, ...others] = REQUESTS;
  answers[first.name] = await ask(url, out, first);
  const etag = answers[first.name][1 + HEADERS.indexOf('etag')];
  for (const request of others) answers[request.name] = await ask(url, out, request, etag);
  const many = ['--silent', '--fail', '--parallel', '--parallel-max', '20', '--output', path.join(out, 'many-#1')];
  await run('curl', [...many, `${url}big-[1-20]`]);
  server.closeAllConnections();
  server.close();
  return answers;
}
