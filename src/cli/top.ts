// `ioengine top`: what the engine does in a program, one that it starts or one that runs.

import { type Command, DONE, numberOption, UsageError, type Values } from './command';
import { runProgram, watchCommand } from './top-command';
import { watchProcess } from './top-process';

/** Node.js 20 has a WebSocket behind a flag. */
const againWithWebSocket = (): Promise<number> => {
  const flags = ['--experimental-websocket', '--disable-warning=ExperimentalWarning'];
  return runProgram([process.execPath, ...flags, ...process.argv.slice(1)], process.env);
};

async function run(values: Values, positionals: string[], program: string[] | undefined): Promise<number> {
  const milliseconds = numberOption(values, 'interval', 1000, 20);
  const json = values.json === true;
  if (program !== undefined && program.length > 0) {
    if (positionals.length > 0 || values.looks !== undefined) {
      throw new UsageError('beside a command it takes no PID and no --looks');
    }
    return watchCommand(program, milliseconds, json);
  }
  const [pid, ...more] = positionals;
  if (pid === undefined || more.length > 0) throw new UsageError('it takes one PID, or -- and a command');
  if (!/^[1-9]\d*$/.test(pid)) throw new UsageError(`'${pid}' is no PID; a command comes after --`);
  const count = values.looks === undefined ? Infinity : numberOption(values, 'looks', 1);
  if (typeof WebSocket === 'undefined') return againWithWebSocket();
  await watchProcess(Number(pid), { milliseconds, count, json });
  return DONE;
}

export const top: Command = {
  name: 'top',
  summary: "a program's lanes, calls in flight and slow calls, while it runs",
  usage: ['[OPTION ...] PID', '[OPTION ...] -- COMMAND [ARGUMENT ...]'],
  about:
    'Shows what the engine does in each thread of a program: calls per second by lane, bytes, calls in flight and ' +
    'waiting, slow calls. With PID, of a Node.js process that runs and has loaded ioengine, until it ends or Ctrl-C: ' +
    'its inspector is opened for that (SIGUSR1), at a port of 127.0.0.1 that every user of the machine can reach, and ' +
    'closed again; the process says so on its standard error. A process that is not watched pays nothing. With ' +
    'COMMAND, which is started with --import ioengine/register, of all its Node.js processes and their Workers, on ' +
    'standard error: standard input and output are the command’s own.',
  takesProgram: true,
  options: {
    interval: { type: 'string', value: 'MS', help: 'time between two looks (1000)' },
    looks: { type: 'string', value: 'N', help: 'of a PID: end after N of them' },
    json: { type: 'boolean', help: 'each look as a line of JSON' },
  },
  notes: [
    [
      'exit',
      "COMMAND's own exit code, 128 and the number of the signal that ended it, or 1 where it cannot be started; with " +
        'PID 0, or 1 where it cannot be watched',
    ],
  ],
  run,
};
