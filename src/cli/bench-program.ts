// `bench -- COMMAND`: a whole program, as it is and with `--import ioengine/register`, in turn.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { environmentWithEngine } from './program-environment';
import { type Spread, spreadOf } from './spread';

interface Run {
  seconds: number;
  code: number;
  /** Of what it wrote to standard output. */
  digest: string;
}

export interface ProgramResult {
  plain: Spread;
  engine: Spread;
  /** Seconds of plain node over those of the engine, of each round. */
  ratio: Spread;
  outputsAreEqual: boolean;
}

function runOnce(program: string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const [command, ...args] = program as [string, ...string[]];
  const start = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const hash = createHash('sha256');
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => hash.update(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.on('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (code === 0) resolve({ seconds, code, digest: hash.digest('hex') });
      else reject(new Error(`${program.join(' ')} ended with ${signal ?? code}; its last words:\n${errors}`));
    });
  });
}

/** One warm-up of each, then so many pairs. */
export async function measureProgram(
  program: string[],
  rounds: number,
  onRound: (round: number) => void,
): Promise<ProgramResult> {
  const envWithout = { ...process.env, IOENGINE_DISABLE: '1' };
  const envWith = environmentWithEngine(process.env);
  const digests = new Set<string>();
  const plain: number[] = [];
  const engine: number[] = [];
  const sides = [
    { env: envWithout, seconds: plain },
    { env: envWith, seconds: engine },
  ];
  for (const { env } of sides) digests.add((await runOnce(program, env)).digest);
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    for (const { env, seconds } of round % 2 === 0 ? sides : [...sides].reverse()) {
      const run = await runOnce(program, env);
      seconds.push(run.seconds);
      digests.add(run.digest);
    }
  }
  return {
    plain: spreadOf(plain),
    engine: spreadOf(engine),
    ratio: spreadOf(plain.map((seconds, round) => seconds / engine[round]!)),
    outputsAreEqual: digests.size === 1,
  };
}
