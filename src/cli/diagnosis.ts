// What runs here and why, as an object: `doctor --json` prints it as it is.

import { release } from 'node:os';
import { type Limits, libc, limits, loadedAddon, type Sandbox, sandbox } from './doctor-system';
import { kindOf, type Place, placeOf } from './filesystem-of';
import { type Direct, lanesAt, type Seen } from './lanes-of';

import type Engine = require('../index');

const loadEngine = () => require('../index') as typeof Engine;

const EXIT = { kernel: 0, threads: 3, node: 4, unavailable: 5 } as const;

export interface Diagnosis {
  exitCode: number;
  verdict: string;
  node: { version: string; executable: string };
  system: { platform: string; arch: string; kernel: string; libc: string };
  binary: { loaded?: string; namedBy?: string; failure?: string };
  environment: Record<string, string>;
  /** The backend of a program that is started like this one, or why it would not start. */
  backend?: { name: string; forced: boolean; reason: string; depth: number };
  filesystems?: Engine.Backend['filesystems'];
  refusal?: { code: string; message: string; fix: string };
  backends: Record<string, Engine.Probed>;
  limits: Limits;
  sandbox: Sandbox;
  place?: Place & { direct: Direct; lanes: Seen[] };
}

const VARIABLES = /^(IOENGINE_(?!FALLBACK_PID)\w+|UV_USE_IO_URING|UV_THREADPOOL_SIZE|NODE_OPTIONS)$/;

function environment(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name]) => VARIABLES.test(name));
  return Object.fromEntries(found) as Record<string, string>;
}

function verdictOf(name: string): Pick<Diagnosis, 'exitCode' | 'verdict'> {
  if (name === 'uring') return { exitCode: EXIT.kernel, verdict: 'the engine runs on io_uring' };
  if (name === 'aio') return { exitCode: EXIT.kernel, verdict: 'the engine runs on Linux AIO' };
  if (name === 'threads') return { exitCode: EXIT.threads, verdict: 'the engine runs on its own threads alone' };
  return { exitCode: EXIT.node, verdict: 'no engine runs: node:fs serves every call' };
}

/** The backend that a program gets here, and what is wrong where it gets none. */
function chosen(): Pick<Diagnosis, 'exitCode' | 'verdict' | 'backend' | 'filesystems' | 'refusal'> {
  const { backend, EngineError } = loadEngine();
  try {
    const { name, forced, reason, depth, filesystems } = backend();
    return { ...verdictOf(name), backend: { name, forced, reason, depth }, filesystems };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { code, message, fix } = error;
    const verdict = 'a program that loads ioengine/fs ends at its start';
    return { exitCode: EXIT.unavailable, verdict, refusal: { code, message, fix } };
  }
}

function binary(backends: Diagnosis['backends']): Diagnosis['binary'] {
  const named = process.env.IOENGINE_ADDON;
  const loaded = loadedAddon();
  const missing = Object.values(backends).find((one) => typeof one === 'object' && !one.available);
  return {
    loaded,
    namedBy: named === undefined || named === '' ? undefined : `IOENGINE_ADDON=${named}`,
    // Without an addon every backend gives its absence as the reason.
    failure: loaded === undefined && typeof missing === 'object' ? missing.reason : undefined,
  };
}

/** What a program meets that is started like this command, and what PATH is. */
export async function diagnose(path: string | undefined, mayCreate: boolean): Promise<Diagnosis> {
  // Before the engine has started: an error about PATH comes first.
  const found = path === undefined ? undefined : placeOf(path);
  // The one warning of a process that has no engine says nothing that is not below.
  process.removeAllListeners('warning');
  process.on('warning', () => {});
  const choice = chosen();
  const { filesystems } = choice;
  const place = found && { ...found, ...(filesystems && kindOf(found, filesystems)) };
  const backends = loadEngine().probe();
  const runs = choice.backend !== undefined && choice.backend.name !== 'node';
  const nothing = { lanes: [], direct: { supported: false, reason: 'not tried: no engine runs' } };
  return {
    exitCode: choice.exitCode,
    verdict: choice.verdict,
    node: { version: process.version, executable: process.execPath },
    system: { platform: process.platform, arch: process.arch, kernel: release(), libc: libc() },
    binary: binary(backends),
    environment: environment(),
    backend: choice.backend,
    filesystems,
    refusal: choice.refusal,
    backends,
    limits: limits(),
    sandbox: sandbox(),
    place: place && { ...place, ...(runs ? await lanesAt(place, mayCreate) : nothing) },
  };
}
