// `npx ioengine`: the commands. Each is loaded when it is called for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, runCommand } from './command';
import { columns } from './text';

// tsc keeps these apart, so that `ioengine --help` loads none of them.
const commands: Record<string, () => Command> = {
  doctor: () => (require('./doctor') as typeof import('./doctor')).doctor,
  bench: () => (require('./bench') as typeof import('./bench')).bench,
  cp: () => (require('./copy') as typeof import('./copy')).copy,
  top: () => (require('./top') as typeof import('./top')).top,
};

const NO_COMMAND = 2;

function version(): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const rows = Object.entries(commands).map(([name, load]) => [name, load().summary] as const);
  return [
    'usage:',
    '  ioengine COMMAND [OPTION ...]',
    '',
    "Commands around ioengine, node's file system module on io_uring or Linux AIO.",
    '',
    ...columns([...rows, ['--version, -v', 'the version of ioengine'], ['--help, -h', 'this text']]),
    '',
    'ioengine COMMAND --help says more. A program is put on the engine without a command:',
    '  node --import ioengine/register app.js',
    '',
  ].join('\n');
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(help());
    return NO_COMMAND;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`ioengine ${version()}\n`);
    return 0;
  }
  if (name === 'bench-side') {
    // One side of a measurement, started by `bench`.
    (require('./bench-side') as typeof import('./bench-side')).serve();
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    process.stderr.write(`ioengine: there is no command '${name}'. ioengine --help lists them.\n`);
    return NO_COMMAND;
  }
  return runCommand(commands[name]!(), rest);
}

// A reader that has seen enough (`ioengine doctor | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
