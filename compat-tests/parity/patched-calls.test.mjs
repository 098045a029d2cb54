// Functions that call others of the module: what a program puts in the place of one is called by the others, as often
// and with the same arguments as on node:fs.
import { expect } from 'chai';
import { runSnippet, sameInChild } from './support/child.mjs';

const SYNC = [
  'openSync',
  'readSync',
  'writeSync',
  'fsyncSync',
  'ftruncateSync',
  'closeSync',
  'writeFileSync',
  'lstatSync',
];

const spies = (names) => `
  import { Buffer } from 'node:buffer';
  const file = dir + '/file';
  fs.writeFileSync(file, 'content of the file');
  const originals = {};
  for (const name of ${JSON.stringify(names)}) {
    originals[name] = fs[name];
    fs[name] = function (...args) {
      log(name, this === fs, args.length, typeof args[0], typeof args.at(-1));
      return originals[name].apply(this, args);
    };
  }
  const restore = () => Object.assign(fs, originals);
`;

describe('parity: patched functions that others call', () => {
  it('synchronous ones', async () => {
    const { stdout } = await sameInChild(`${spies(SYNC)}
      log(fs.readFileSync(file, 'latin1'));
      fs.writeFileSync(file, Buffer.from('bytes'), { flush: true });
      fs.writeFileSync(file, 'text', { flush: true });
      fs.appendFileSync(file, Buffer.from(' and more'));
      fs.truncateSync(file, 6);
      log(originals.openSync === fs.openSync, fs.readFileSync(file, 'latin1'));
      restore();
      log(fs.readFileSync(file, 'latin1'));
    `);
    expect(stdout.split('\n').filter((line) => line.startsWith('openSync'))).to.have.length.greaterThan(5);
  });

  it('writeFile and appendFile', async () => {
    const { stdout } = await sameInChild(`${spies(['open', 'write', 'fsync', 'close', 'writeFile'])}
      const call = (name, ...args) => new Promise((resolve) => fs[name](...args, (error) => resolve(log(name, error ?? 'done'))));
      await call('writeFile', file, 'text', { flush: true });
      await call('writeFile', file, Buffer.from('bytes'), { flush: true, mode: 0o600 });
      await call('appendFile', file, ' and more', { flush: true });
      await call('appendFile', file, ' in latin1 \\u00e9', { encoding: 'latin1', flush: true });
      await call('writeFile', dir + '/missing/file', 'text', { flush: true });
      const fd = originals.close && fs.openSync(file, 'r+');
      await call('writeFile', fd, 'TEXT', { flush: true });
      fs.closeSync(fd);
      restore();
      log(fs.readFileSync(file, 'latin1'));
    `);
    expect(stdout).to.include('fsync');
  });

  it('realpath', async () => {
    const { stdout } = await sameInChild(`${spies(['lstat', 'stat', 'readlink'])}
      import { spawnSync } from 'node:child_process';
      fs.mkdirSync(dir + '/real/deep', { recursive: true });
      fs.symlinkSync(dir + '/real', dir + '/one');
      fs.symlinkSync('one/../one/deep', dir + '/two');
      fs.symlinkSync('loop', dir + '/loop');
      fs.symlinkSync('nowhere', dir + '/dangling');
      spawnSync('mkfifo', [dir + '/pipe']);
      fs.symlinkSync('pipe', dir + '/to-pipe');
      const call = (...args) => new Promise((resolve) => fs.realpath(...args, (error, found) => resolve(log(error ?? found, typeof found, found?.length))));
      for (const name of ['two', 'two/', 'one/deep/../../one', 'loop', 'dangling', 'missing/x', 'file/x', 'to-pipe', '.']) await call(dir + '/' + name);
      for (const options of ['buffer', { encoding: 'buffer' }, { encoding: 'latin1' }, 'latin1', null, {}]) await call(dir + '/two', options);
      await call(Buffer.from(dir + '/two'));
      await call('/');
      for (const bad of ['', String.fromCharCode(0)]) try { fs.realpath(bad, () => log('called')); } catch (error) { log(error.code); }
    `);
    expect(stdout).to.include('ELOOP').and.include('/real/deep');
  });

  it('what a patch throws or reports comes out, and the descriptor is closed', async () => {
    await sameInChild(`
      const { closeSync, fsyncSync, close } = fs;
      let closed = 0;
      fs.closeSync = (fd) => { closed++; return closeSync(fd); };
      fs.fsyncSync = () => { throw new Error('no sync'); };
      try { fs.writeFileSync(dir + '/sync', 'x', { flush: true }); log('written'); } catch (error) { log(error.message); }
      fs.fsyncSync = fsyncSync;
      fs.fsync = (fd, callback) => callback(new Error('no sync here either'));
      fs.close = (fd, callback) => { closed++; return close(fd, callback); };
      await new Promise((resolve) => fs.writeFile(dir + '/async', 'x', { flush: true }, (error) => resolve(log(error.message))));
      log(closed);
    `);
  });

  it('a patched write that writes less is called again', async () => {
    const { stdout } = await sameInChild(`
      const { write } = fs;
      let calls = 0;
      fs.write = (fd, bytes, offset, length, position, callback) => { calls++; return write(fd, bytes, offset, Math.min(length, 5), position, callback); };
      for (const flush of [true, false]) {
        const error = await new Promise((resolve) => fs.writeFile(dir + '/short', 'a text of some length', { flush }, resolve));
        log(error, flush ? calls : '', fs.readFileSync(dir + '/short', 'latin1'));
      }
    `);
    expect(stdout).to.include('null 5 a text of some length');
  });

  it('a patch on ioengine/fs may call node:fs itself, where nothing is left of it afterwards', async () => {
    const { stdout } = await runSnippet(
      'ours',
      '/',
      `
      import real from 'node:fs';
      const { openSync } = real;
      let calls = 0;
      fs.openSync = (...args) => { calls++; return real.openSync(...args); };
      log(fs.readFileSync(process.execPath).length > 0, calls, real.openSync === openSync);
    `,
    );
    expect(stdout).to.equal('true 1 true\n');
  });
});
