// What else a service does: each of these must not mind a filesystem that does not answer.
import crypto from 'node:crypto';
import dns from 'node:dns';
import http from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

const pbkdf2 = promisify(crypto.pbkdf2);
const gzip = promisify(zlib.gzip);

/** Starts what is asked, and returns the probes by name. */
export async function startProbes(fs, folder) {
  const p = fs.promises;
  const file = `${folder}/local`;
  await p.writeFile(file, Buffer.alloc(100_000, 'x'));
  const handle = await p.open(file, 'r');
  const server = http.createServer((_, response) => response.end('ok'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const url = { host: '127.0.0.1', port: server.address().port };
  return {
    read: (i) => handle.read(Buffer.alloc(4096), 0, 4096, (i % 20) * 4096),
    stat: () => p.stat(file),
    'stat of what is not cached': (i) => p.stat(`${folder}/missing-${i}`).catch(() => undefined),
    readdir: () => p.readdir(folder),
    writeFile: () => p.writeFile(`${folder}/again`, 'content'),
    stream: async () => {
      for await (const chunk of fs.createReadStream(file)) chunk.length;
    },
    'dns.lookup': () => dns.promises.lookup('localhost'),
    pbkdf2: () => pbkdf2('word', 'salt', 50, 32, 'sha256'),
    gzip: () => gzip('text'.repeat(100)),
    timer: () => new Promise((resolve) => setTimeout(resolve, 1)),
    http: () =>
      new Promise((resolve, reject) => {
        http.get(url, (response) => response.resume().on('end', resolve)).on('error', reject);
      }),
  };
}

const REFUSED_MS = 5000;

/** Milliseconds of each of `rounds` calls: { name: { p50, p99 } }. One that hangs counts as long as we wait for it. */
export async function measure(probes, rounds) {
  const figures = {};
  for (const [name, probe] of Object.entries(probes)) {
    const times = [];
    for (let i = 0; i < rounds; i++) {
      const started = performance.now();
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, REFUSED_MS, 'late');
      });
      const hangs = (await Promise.race([probe(i), late])) === 'late';
      clearTimeout(timer);
      times.push(performance.now() - started);
      if (hangs) break;
    }
    times.sort((a, b) => a - b);
    const at = (part) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] * 100) / 100;
    figures[name] = { p50: at(0.5), p99: at(0.99) };
  }
  return figures;
}
