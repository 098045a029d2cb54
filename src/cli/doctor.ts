// `ioengine doctor [PATH]`: what runs here and why, and what to do about the rest.

import { existsSync } from 'node:fs';
import { type Command, UsageError, type Values } from './command';
import { diagnose } from './diagnosis';
import { reportLines } from './doctor-report';

async function run(values: Values, positionals: string[]): Promise<number> {
  if (positionals.length > 1) throw new UsageError('it takes one PATH');
  const [path] = positionals;
  if (path !== undefined && !existsSync(path)) throw new Error(`there is no ${path}`);
  const found = await diagnose(path, values.write === true);
  const text = values.json ? JSON.stringify(found, undefined, 2) : reportLines(found).join('\n');
  process.stdout.write(`${text}\n`);
  return found.exitCode;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'what runs here and why, and what to do about the rest',
  usage: ['[PATH] [--json]'],
  about:
    'Says which backend a program gets that is started like this command, why the others are not available and what ' +
    'to do about it, and shows the limits that matter. With PATH: its filesystem, what O_DIRECT needs there, and which ' +
    'lane serves each operation. These are tried, on a file without a name, which leaves no trace.',
  options: {
    json: { type: 'boolean', help: 'the same as JSON' },
    write: {
      type: 'boolean',
      help: 'where the filesystem makes no file without a name: try with a hidden one in PATH, removed at once',
    },
  },
  notes: [
    ['exit 0', 'the engine runs on io_uring or Linux AIO'],
    ['exit 1', 'the command failed: there is no PATH'],
    ['exit 2', 'the command line is wrong'],
    ['exit 3', 'the engine runs on its own threads alone'],
    ['exit 4', 'no engine runs, node:fs serves every call'],
    ['exit 5', 'the backend that IOENGINE_BACKEND names cannot run: programs end at their start'],
  ],
  run,
};
