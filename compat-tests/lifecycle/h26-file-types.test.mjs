// H26: O_NONBLOCK files, FIFOs, ttys, sockets, /proc, directories. Rule: only regular files on known disk filesystems
// and block devices take the engine's lanes; the rest is delegated or polled. node:fs is the oracle for each row.
// Red when a lane of ours gives such a file a result that node would not give, or never settles.
import { execFileSync } from 'node:child_process';
import nodeFs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import fs from 'ioengine/fs';
import { skip } from '../helpers/backend.mjs';
import { runChild } from '../helpers/child.mjs';
import { removeDirectory, temporaryDirectory } from '../helpers/tempdir.mjs';

const { O_RDWR, O_NONBLOCK } = nodeFs.constants;
const settle = (promise) =>
  promise.then(
    (value) => value,
    ({ code, errno, syscall, message }) => ({ code, errno, syscall, message }),
  );
const viaCallback = (call) =>
  settle(new Promise((resolve, reject) => call((error, count) => (error ? reject(error) : resolve(count)))));

describe('H26: files that are not plain files', () => {
  let directory;
  before(() => {
    directory = temporaryDirectory();
  });
  after(() => removeDirectory(directory));

  // What a fresh descriptor of this file does: a positional and a current read, a write, both APIs.
  async function observe(api, file, flags, { compareBytes = true, position = 0 } = {}) {
    const seen = {};
    const handle = await settle(api.promises.open(file, flags));
    if (handle.code !== undefined) return { open: handle };
    const size = 512;
    for (const [name, at] of [
      ['current', null],
      ['positional', position],
    ]) {
      const buffer = Buffer.alloc(size);
      const read = await settle(handle.read(buffer, 0, size, at));
      seen[`${name} read`] = read.code === undefined ? read.bytesRead : read;
      if (compareBytes) seen[`${name} bytes`] = buffer.toString('latin1');
    }
    const write = await settle(handle.write(Buffer.from('abc'), 0, 3, null));
    seen.write = write.code === undefined ? write.bytesWritten : write;
    const buffer = Buffer.alloc(16);
    seen['fs.read'] = await viaCallback((done) => api.read(handle.fd, buffer, 0, 16, position, done));
    seen['fs.write'] = await viaCallback((done) => api.write(handle.fd, Buffer.from('xyz'), 0, 3, position, done));
    seen.sync = await settle(handle.sync());
    await handle.close();
    return seen;
  }

  const rows = [
    ['/dev/null', 'r+'],
    ['/dev/zero', 'r+'],
    ['/dev/full', 'r+'],
    ['/dev/urandom', 'r', { compareBytes: false }],
    ['/proc/version', 'r'],
    ['/proc/cpuinfo', 'r', { compareBytes: false }], // the clock frequency in it changes
    ['/proc/self/cmdline', 'r'],
    ['/proc/sys/kernel/ostype', 'r'],
    ['/proc/self/mem', 'r', { position: 0 }],
    ['/sys/kernel/mm/transparent_hugepage/enabled', 'r'],
    ['/tmp', 'r'],
    ['/tmp', 'r+'],
    ['/proc', 'r'],
    ['/dev/ptmx', fs.constants.O_RDWR | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY],
    ['/proc/self/fd', 'r'],
    ['/nowhere/at/all', 'r'],
  ];
  for (const [file, flags, options] of rows) {
    it(`${file} (${flags})`, async function () {
      if (!nodeFs.existsSync(file) && file !== '/nowhere/at/all') skip(this, `there is no ${file} here`);
      const wanted = await observe(nodeFs, file, flags, options);
      expect(await observe(fs, file, flags, options)).to.deep.equal(wanted);
    });
  }

  for (const file of [
    '/proc/version',
    '/proc/self/cmdline',
    '/dev/null',
    '/tmp',
    '/sys/kernel/mm/transparent_hugepage/enabled',
  ]) {
    it(`readFile and createReadStream of ${file}`, async function () {
      if (!nodeFs.existsSync(file)) skip(this, `there is no ${file} here`);
      const whole = async (api) => settle(api.promises.readFile(file));
      const collect = async (stream) => {
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        return Buffer.concat(chunks);
      };
      const streamed = (api) => settle(collect(api.createReadStream(file)));
      expect(await whole(fs)).to.deep.equal(await whole(nodeFs));
      expect(await streamed(fs)).to.deep.equal(await streamed(nodeFs));
    });
  }

  for (const direct of [true, 'try']) {
    it(`O_DIRECT (${direct}) on a character device and on a directory never hangs or crashes`, async () => {
      for (const file of ['/dev/null', '/dev/zero', directory]) {
        const handle = await settle(fs.open(file, { flags: 'r', direct }));
        if (handle.code !== undefined) continue;
        const read = await settle(handle.read(Buffer.alloc(100), 0, 100, null));
        expect(read.bytesRead ?? read.code).to.equal({ '/dev/null': 0, '/dev/zero': 100 }[file] ?? 'EISDIR');
        await handle.close();
      }
    });
  }

  it('a FIFO: what is there is read, short; a pending read waits for the writer; the end is 0', async () => {
    const fifo = path.join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = fs.open(fifo, 'r');
    const writer = nodeFs.openSync(fifo, O_RDWR);
    const handle = await reader;
    const buffer = Buffer.alloc(100);
    const pending = handle.read(buffer, 0, 100, null);
    await new Promise((resolve) => setTimeout(resolve, 20));
    nodeFs.writeSync(writer, 'hello');
    expect((await pending).bytesRead).to.equal(5);
    expect(buffer.toString('latin1', 0, 5)).to.equal('hello');
    nodeFs.writeSync(writer, 'again');
    expect((await settle(handle.read(buffer, 0, 2, null))).bytesRead).to.equal(2);
    expect((await settle(handle.read(buffer, 0, 100, 0))).code, 'a position on a FIFO').to.equal('ESPIPE');
    expect((await handle.read(buffer, 0, 100, null)).bytesRead).to.equal(3);
    nodeFs.closeSync(writer);
    expect((await handle.read(buffer, 0, 100, null)).bytesRead).to.equal(0);
    await handle.close();
  });

  it('a FIFO opened O_NONBLOCK says EAGAIN while it is empty', async () => {
    const fifo = path.join(directory, 'fifo-nonblock');
    execFileSync('mkfifo', [fifo]);
    const observeFifo = async (api) => {
      const fd = api.openSync(fifo, O_RDWR | O_NONBLOCK);
      const empty = await viaCallback((done) => api.read(fd, Buffer.alloc(4), 0, 4, null, done));
      api.writeSync(fd, 'ab');
      const filled = await viaCallback((done) => api.read(fd, Buffer.alloc(4), 0, 4, null, done));
      // Fills the pipe until it takes no more.
      const writes = [];
      for (let i = 0; i < 40; i++) {
        writes.push(await viaCallback((done) => api.write(fd, Buffer.alloc(4096), 0, 4096, null, done)));
      }
      api.closeSync(fd);
      return { empty, filled, writes };
    };
    const wanted = await observeFifo(nodeFs);
    expect(wanted.empty.code).to.equal('EAGAIN');
    expect(await observeFifo(fs)).to.deep.equal(wanted);
  });

  it('a socket: its path cannot be opened, and its descriptor behaves as under node', async () => {
    const address = path.join(directory, 'socket');
    const server = net.createServer((socket) => socket.resume());
    await new Promise((resolve) => server.listen(address, resolve));
    expect(await settle(fs.promises.open(address, 'r'))).to.deep.equal(
      await settle(nodeFs.promises.open(address, 'r')),
    );
    const observeSocket = async (api) => {
      const client = net.connect(address);
      client.pause();
      await new Promise((resolve) => client.once('connect', resolve));
      const { fd } = client._handle;
      const write = await viaCallback((done) => api.write(fd, Buffer.from('hello'), 0, 5, null, done));
      const read = await viaCallback((done) => api.read(fd, Buffer.alloc(4), 0, 4, 0, done));
      client.destroy();
      return { write, read };
    };
    expect(await observeSocket(fs)).to.deep.equal(await observeSocket(nodeFs));
    await new Promise((resolve) => server.close(resolve));
  });

  it('a terminal: reads wait for a line and do not hold the loop', async function () {
    if (!nodeFs.existsSync('/usr/bin/script')) skip(this, 'the program script is not installed');
    const program = path.join(directory, 'tty.mjs');
    const body = (specifier) => `
      import fs from '${specifier}';
      const handle = await fs.promises.open('/dev/tty', 'r+');
      let turns = 0;
      const reading = handle.read(Buffer.alloc(100), 0, 100, null);
      // The line is not sent before the loop has turned a while.
      const timer = setInterval(() => ++turns === 50 && process.stdout.write('ready'), 1);
      const { bytesRead, buffer } = await reading;
      clearInterval(timer);
      await handle.write(Buffer.from('seen'));
      fs.writeFileSync(process.argv[2], JSON.stringify({ text: buffer.toString('latin1', 0, bytesRead), turned: turns >= 50 }));
      process.exit(0);`;
    const observeTty = async (specifier) => {
      nodeFs.writeFileSync(program, body(specifier));
      const out = path.join(directory, 'tty.json');
      // The shell feeds the line once the program has had time to wait for it.
      const inner = `${process.execPath} ${program} ${out}`;
      const child = await runChild({
        code: `
          import { spawn } from 'node:child_process';
          const tty = spawn('script', ['-qec', ${JSON.stringify(inner)}, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
          let said = '';
          let fed = false;
          tty.stdout.on('data', (text) => {
            said += text;
            // Once: the echo of the line comes here as well, and by then nobody may be there to read another.
            if (fed || !said.includes('ready')) return;
            fed = true;
            tty.stdin.write('a line\\n');
          });
          tty.on('exit', (status) => process.exit(status ?? 1));`,
      });
      expect(child.status, child.describe()).to.equal(0);
      return JSON.parse(nodeFs.readFileSync(out, 'utf8'));
    };
    // The program lies outside of the package, so it is told where the package is.
    const wanted = await observeTty('node:fs');
    expect(wanted).to.deep.equal({ text: 'a line\n', turned: true });
    expect(await observeTty(import.meta.resolve('ioengine/fs'))).to.deep.equal(wanted);
  });
});
