// Opens the inspector of a Node.js process that runs, by the signal that Node.js keeps for it (SIGUSR1), and finds the
// port: https://nodejs.org/api/process.html#signal-events, proc_pid_fd(5), proc_pid_net(5).

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const USR1 = 1n << 9n;
const LISTENING = '0A';
const DEFAULT_PORT = 9229;
const PATIENCE_MS = 5000;
const LOOK_MS = 20;

const textOf = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');

/** Why the signal must not be sent, if it must not: it ends a program that does not wait for it. */
function whyNot(pid: number): string | undefined {
  try {
    const caught = BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(textOf(pid, 'status'))?.[1] ?? '0'}`);
    const threads = readdirSync(`/proc/${pid}/task`).map((id) => textOf(pid, `task/${id}/comm`).trim());
    const isNode = /^node/.test(basename(readlinkSync(`/proc/${pid}/exe`))) || threads.includes('V8Worker');
    if (!isNode) return 'is not a Node.js process';
    if ((caught & USR1) === 0n) return 'does not wait for SIGUSR1, it was started with --disable-sigusr1';
    const [own, other] = ['self', pid].map((of) => readlinkSync(`/proc/${of}/ns/net`));
    if (own !== other) return `is in another network namespace: run this inside of it, as with nsenter -n -t ${pid}`;
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return 'does not run';
    return code === 'EACCES' || code === 'EPERM' ? 'belongs to another user' : message;
  }
}

/** The TCP ports that the process listens on. */
function portsOf(pid: number): Set<number> {
  const sockets = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) sockets.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  const ports = new Set<number>();
  for (const table of ['net/tcp', 'net/tcp6']) {
    let lines: string[];
    try {
      lines = textOf(pid, table).split('\n').slice(1);
    } catch {
      continue; // a kernel without IPv6
    }
    for (const line of lines) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTENING && sockets.has(fields[9]!)) ports.add(Number.parseInt(fields[1]!.split(':')[1]!, 16));
    }
  }
  return ports;
}

const optionsOf = (pid: number): string => {
  const options = /(?:^|\0)NODE_OPTIONS=([^\0]*)/.exec(textOf(pid, 'environ'))?.[1] ?? '';
  return `${textOf(pid, 'cmdline').replaceAll('\0', ' ')} ${options}`;
};

/** The port of an inspector that was open before, as --inspect opens it. */
function openPort(pid: number, ports: Set<number>): number | undefined {
  const port = /--inspect(?:-brk|-wait)?(?:=(?:[^\s:]*:)?(\d+))?(?=\s|$)/.exec(optionsOf(pid));
  const named = port === null ? undefined : Number(port[1] ?? DEFAULT_PORT);
  return [named, DEFAULT_PORT].find((candidate) => candidate !== undefined && ports.has(candidate));
}

/** Opens the inspector where it is not open; `opened` tells whether it is to be closed again. */
export async function inspectorPort(pid: number): Promise<{ port: number; opened: boolean }> {
  const reason = whyNot(pid);
  if (reason !== undefined) throw new Error(`process ${pid} ${reason}`);
  const before = portsOf(pid);
  const open = openPort(pid, before);
  if (open !== undefined) return { port: open, opened: false };
  process.kill(pid, 'SIGUSR1');
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    await sleep(LOOK_MS);
    const port = [...portsOf(pid)].find((candidate) => !before.has(candidate));
    if (port !== undefined) return { port, opened: true };
  }
  throw new Error(
    `process ${pid} has not opened its inspector: it handles SIGUSR1 by itself, or the port (${DEFAULT_PORT} if ` +
      '--inspect-port does not say otherwise) is taken',
  );
}
