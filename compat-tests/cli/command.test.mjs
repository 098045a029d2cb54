// What all commands have in common: help, version, errors about arguments, and that the library does not carry them.
// Red with an option without help, an unknown option that is taken, and when a module of the library asks for one of
// the command's.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { cli } from './support/cli.mjs';

const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
const commands = ['doctor', 'bench', 'cp', 'top'];

/** The options that a command's source lists. */
function optionsOf(name) {
  const source = readFileSync(inRoot('src', 'cli', `${name === 'cp' ? 'copy' : name}.ts`), 'utf8');
  const [, table] = /\n {2}options: \{\n([\s\S]*?)\n {2}\},/.exec(source);
  return [...table.matchAll(/^ {4}'?([\w-]+)'?: \{/gm)].map(([, option]) => option);
}

describe('cli: the command', () => {
  it('tells its version, and lists its commands', async () => {
    for (const flag of ['--version', '-v']) {
      const { status, stdout, stderr } = await cli([flag]);
      expect([status, stdout, stderr]).to.deep.equal([0, `ioengine ${version}\n`, '']);
    }
    for (const flag of ['--help', '-h']) {
      const { status, stdout } = await cli([flag]);
      expect(status).to.equal(0);
      for (const name of commands) expect(stdout).to.match(new RegExp(`^  ${name} `, 'm'));
    }
  });

  for (const name of commands) {
    it(`${name} --help names every option`, async () => {
      const { status, stdout, stderr } = await cli([name, '--help']);
      expect([status, stderr]).to.deep.equal([0, '']);
      expect(stdout).to.match(new RegExp(`^usage:\n  ioengine ${name} `));
      const options = optionsOf(name);
      expect(options).to.not.deep.equal([]);
      for (const option of options) expect(stdout).to.match(new RegExp(`--${option}\\b`));
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).to.be.at.most(100);
    });

    it(`${name} with an option that it does not have ends with 2 and says which`, async () => {
      const { status, stdout, stderr } = await cli([name, '--no-such-option']);
      expect([status, stdout]).to.deep.equal([2, '']);
      expect(stderr).to.equal(
        `ioengine ${name}: Unknown option '--no-such-option'\nioengine ${name} --help says what it takes.\n`,
      );
    });
  }

  it('without a command, or with one that there is not, ends with 2', async () => {
    const none = await cli([]);
    expect([none.status, none.stdout]).to.deep.equal([2, '']);
    expect(none.stderr).to.include('usage:');
    const other = await cli(['copy']);
    expect([other.status, other.stdout]).to.deep.equal([2, '']);
    expect(other.stderr).to.equal("ioengine: there is no command 'copy'. ioengine --help lists them.\n");
  });

  it('with arguments that are missing, too many or no numbers ends with 2', async () => {
    const wrong = [
      ['cp', 'one'],
      ['cp', 'a', 'b', 'c'],
      ['bench'],
      ['bench', 'a', 'b'],
      ['top'],
      ['top', '--'],
      ['doctor', 'a', 'b'],
    ];
    for (const args of [
      ...wrong,
      ['bench', '--rounds', '0', '.'],
      ['bench', '--files', 'x', '.'],
      ['top', '--interval', '1', '--', 'x'],
    ]) {
      const { status, stdout, stderr } = await cli(args);
      expect([args, status, stdout]).to.deep.equal([args, 2, '']);
      expect(stderr).to.include('--help says what it takes');
    }
  });

  it('is in none of the files that an import of the library reads', () => {
    const inside = (name) => /\bcli\/|\btop-preload\b/.test(readFileSync(inRoot('dist', name), 'utf8'));
    const library = [
      'fs.js',
      'fs.mjs',
      'promises.js',
      'promises.mjs',
      'index.js',
      'index.mjs',
      'register.js',
      'rest.js',
    ];
    expect(library.filter(inside)).to.deep.equal([]);
    expect(inside('cli.js')).to.equal(true);
  });

  it('ends quietly where its reader has seen enough', async () => {
    const { spawnSync } = await import('node:child_process');
    const { stdout, stderr } = spawnSync('sh', ['-c', `"$0" dist/cli.js doctor | head -n 1`, process.execPath], {
      cwd: inRoot(),
      encoding: 'utf8',
    });
    expect([stdout.slice(0, 15), stderr]).to.deep.equal(['ioengine doctor', '']);
  });
});
