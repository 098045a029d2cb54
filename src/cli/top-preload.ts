// What `ioengine top -- COMMAND` loads into each Node process of the command, and into its Workers: tells the figures
// of this thread's engine over a socket that keeps nothing alive. It starts no engine. A program that is not watched
// does not load this file.

import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { connect } from 'node:net';
import { threadId } from 'node:worker_threads';
import type { Hello, Sample, SlowCall } from './top-protocol';

// The program's own timers may be fakes by the time that these are needed.
const { setInterval } = globalThis;
const SLOW_MAX = 100;

const { IOENGINE_TOP_SOCKET: path, IOENGINE_TOP_MS: interval } = process.env;

interface Engine {
  stats(): Sample['stats'];
  inFlight(): SlowCall[];
}

/** What `top` reads when the command has ended. */
function leaveBehind(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch {
    // `top` has ended first, or its folder cannot be reached from here any more.
  }
}

function watch(socketPath: string): void {
  const engine = require('../index') as Engine;
  const socket = connect(socketPath);
  let isOpen = true;
  let slow: SlowCall[] = [];
  socket.unref();
  // Whoever watches may end first: then nobody is told.
  socket.on('error', () => {
    isOpen = false;
  });
  socket.on('close', () => {
    isOpen = false;
    clearInterval(timer);
  });
  let unsent = '';
  socket.on('connect', () => {
    unsent = '';
  });
  const send = (message: Hello | Sample): void => {
    // A program that never waits ends before there is a connection.
    if (socket.connecting) unsent += `${JSON.stringify(message)}\n`;
    // A reader that does not keep up misses samples; no memory fills with them.
    if (isOpen && socket.writableLength < 65_536) socket.write(`${JSON.stringify(message)}\n`);
  };
  subscribe('ioengine:slow', (message) => {
    if (slow.length < SLOW_MAX) slow.push({ ...(message as SlowCall) });
  });
  const sample = (): void => {
    const { rss } = process.memoryUsage();
    const calls = engine.inFlight();
    send({
      kind: 'sample',
      pid: process.pid,
      threadId,
      rss,
      stats: engine.stats(),
      slow,
      calls: calls.slice(0, SLOW_MAX),
    });
    slow = [];
  };
  const script = threadId === 0 ? (process.argv[1] ?? process.execPath) : 'a Worker';
  send({ kind: 'hello', pid: process.pid, threadId, script, node: process.version });
  const timer = setInterval(sample, Number(interval));
  timer.unref();
  // The last figures: a socket that is not busy takes a line within write().
  process.once('exit', () => {
    sample();
    if (socket.connecting) leaveBehind(`${socketPath}.${process.pid}.${threadId}`, unsent);
  });
}

if (path !== undefined && interval !== undefined) watch(path);
