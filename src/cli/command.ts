// What a command of `npx ioengine` is, and how its arguments are read: util.parseArgs, with help that is made from the
// same table, so that no option is without it.

import { parseArgs } from 'node:util';
import { columns, wrapped } from './text';

export interface OptionRow {
  type: 'boolean' | 'string';
  short?: string;
  /** What stands for the value in the help. */
  value?: string;
  help: string;
}

export type Values = Record<string, string | boolean | undefined>;

export interface Command {
  name: string;
  summary: string;
  /** What follows `ioengine NAME`, one line for each form. */
  usage: readonly string[];
  about: string;
  options: Record<string, OptionRow>;
  /** What follows a `--` is a command line of another program. */
  takesProgram?: boolean;
  /** The last lines of the help: exit codes, what is not done. */
  notes: readonly (readonly [string, string])[];
  run(values: Values, positionals: string[], program: string[] | undefined): Promise<number>;
}

/** Exit codes that all commands share; doctor has more. */
export const DONE = 0;
export const FAILED = 1;
const MISUSED = 2;

/** The command line is wrong: its text is printed with a pointer to --help, and the exit code is 2. */
export class UsageError extends Error {}

const HELP: OptionRow = { type: 'boolean', short: 'h', help: 'this text' };

function helpOf(command: Command): string {
  const usage = command.usage.map((form) => `  ioengine ${command.name}${form === '' ? '' : ` ${form}`}`);
  const rows = Object.entries({ ...command.options, help: HELP }).map(([name, row]) => {
    const short = row.short === undefined ? '    ' : `-${row.short}, `;
    return [`${short}--${name}${row.value === undefined ? '' : ` ${row.value}`}`, row.help] as const;
  });
  const notes = command.notes.length === 0 ? [] : ['', ...columns(command.notes)];
  return ['usage:', ...usage, '', ...wrapped(command.about), '', 'options:', ...columns(rows), ...notes, ''].join('\n');
}

function parse(command: Command, args: string[]): { values: Values; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ...command.options, help: HELP },
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Values, positionals };
  } catch (error) {
    // Node's text names the option; its hint about `--` is for programs that take anything as an argument.
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

async function runWith(command: Command, args: string[]): Promise<number> {
  const end = command.takesProgram ? args.indexOf('--') : -1;
  const program = end < 0 ? undefined : args.slice(end + 1);
  const { values, positionals } = parse(command, end < 0 ? args : args.slice(0, end));
  if (values.help) {
    process.stdout.write(helpOf(command));
    return DONE;
  }
  return command.run(values, positionals, program);
}

/** Runs a command with its arguments; the exit code. What goes wrong is told in one line, without a stack. */
export async function runCommand(command: Command, args: string[]): Promise<number> {
  try {
    return await runWith(command, args);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(
        `ioengine ${command.name}: ${error.message}\nioengine ${command.name} --help says what it takes.\n`,
      );
      return MISUSED;
    }
    process.stderr.write(
      `ioengine ${command.name}: ${process.env.DEBUG ? (error as Error).stack : (error as Error).message}\n`,
    );
    return FAILED;
  }
}

/** A whole number at or above `least`, from an option. */
export function numberOption(values: Values, name: string, fallback: number, least = 1): number {
  const text = values[name];
  if (typeof text !== 'string') return fallback;
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < least) {
    throw new UsageError(`--${name} ${text}: not a whole number of at least ${least}`);
  }
  return number;
}
