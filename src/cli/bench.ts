// `ioengine bench`: the user's own files, or the user's own program, on plain node and on the engine.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { planFor } from './bench-plan';
import { measureProgram } from './bench-program';
import { programLines, resultLines } from './bench-report';
import { measureAll } from './bench-run';
import { type Command, DONE, numberOption, UsageError, type Values } from './command';
import { plural } from './text';

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`);
};

/** What runs, in a line; an error where there is no engine to compare with. */
function machine(): string {
  const { backend } = require('../index') as typeof import('../index');
  const { name, reason } = backend();
  if (name === 'node') throw new Error(`there is no engine here to compare with: ${reason}. ioengine doctor says more`);
  const processors = cpus();
  return `node ${process.version}, engine on ${name}, Linux ${release()}, ${plural(processors.length, 'CPU')} (${processors[0]?.model ?? 'unknown'})`;
}

async function benchProgram(program: string[], values: Values): Promise<number> {
  const rounds = numberOption(values, 'rounds', 5);
  const facts = machine();
  const result = await measureProgram(program, rounds, (round) => say(`round ${round + 1} of ${rounds}`));
  if (values.json) print([JSON.stringify({ program, rounds, machine: facts, ...result }, undefined, 2)]);
  else print([`ioengine bench -- ${program.join(' ')}`, facts, '', ...programLines(result, rounds)]);
  return DONE;
}

async function benchFiles(path: string, values: Values): Promise<number> {
  const rounds = numberOption(values, 'rounds', 5);
  const filesMax = numberOption(values, 'files', 2000);
  const roundSeconds = numberOption(values, 'round-ms', 250) / 1000;
  statSync(path);
  const facts = machine();
  const folder = typeof values.write === 'string' ? values.write : undefined;
  const scratch = folder === undefined ? undefined : mkdtempSync(join(folder, '.ioengine-bench-'));
  const remove = (): void => {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  };
  const stop = (): void => {
    remove();
    process.exit(130);
  };
  process.once('SIGINT', stop);
  try {
    const { tasks, description } = planFor(path, filesMax, values.direct === true, scratch);
    if (tasks.length === 0) throw new Error(`${path} is too small to measure anything with`);
    for (const line of description) say(line);
    const results = await measureAll(tasks, { rounds, roundSeconds }, ({ task }) => say(`done: ${task.name}`));
    const plain = results.map(({ task: { name, unit }, ...figures }) => ({ task: name, unit, ...figures }));
    if (values.json) print([JSON.stringify({ path, rounds, machine: facts, results: plain }, undefined, 2)]);
    else print([`ioengine bench ${path}`, facts, '', ...resultLines(results, rounds)]);
    return DONE;
  } finally {
    process.off('SIGINT', stop);
    remove();
  }
}

async function run(values: Values, positionals: string[], program: string[] | undefined): Promise<number> {
  if (program !== undefined) {
    if (positionals.length > 0 || program.length === 0) throw new UsageError('it takes a path, or -- and a command');
    return benchProgram(program, values);
  }
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new UsageError('it takes one FILE or DIR, or -- and a command');
  return benchFiles(path, values);
}

export const bench: Command = {
  name: 'bench',
  summary: "the user's own files or program, plain node beside the engine",
  usage: ['FILE|DIR [OPTION ...]', '[OPTION ...] -- COMMAND [ARGUMENT ...]'],
  about:
    'Reads files that are yours on plain node and on the engine, in turn, and prints the medians. Both sides have to ' +
    'come to the same content before anything is timed. Nothing is written unless --write says where. Behind -- a ' +
    `whole program is timed instead, as it is and with --import ioengine/register; it runs as often as --rounds says, ` +
    'and twice more, so it must be one that may.',
  takesProgram: true,
  options: {
    rounds: { type: 'string', value: 'N', help: 'rounds of each task and side (5)' },
    'round-ms': { type: 'string', value: 'MS', help: 'how long a round of a side takes, more or less (250)' },
    files: { type: 'string', value: 'N', help: 'files of a DIR at most (2000)' },
    direct: { type: 'boolean', help: 'also reads with O_DIRECT, which the disk has to answer' },
    write: {
      type: 'string',
      value: 'DIR',
      help: `also writes, in a new folder in DIR that is removed (${tmpdir()} will do)`,
    },
    json: { type: 'boolean', help: 'the figures as JSON' },
  },
  notes: [
    ['exit 0', 'measured, faster or not'],
    ['exit 1', 'a side failed, or the contents differ'],
  ],
  run,
};
