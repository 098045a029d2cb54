// Timers and sockets beside a busy engine: how late they are. One that waits for seconds has been starved.
import { once } from 'node:events';
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const STARVED_MS = 5000;
const TICK_MS = 20;

const ms = (ns) => Math.round(ns / 1e6);

export function timerDelays() {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let ticks = 0;
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last - TICK_MS);
    last = performance.now();
    ticks += 1;
  }, TICK_MS);
  return {
    end() {
      clearInterval(timer);
      delay.disable();
      return { loopDelayMs: { median: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), most: ms(delay.max) } };
    },
    faults() {
      const faults = [];
      if (worst > STARVED_MS) faults.push(`a timer was ${Math.round(worst)} ms late`);
      if (ticks === 0) faults.push('no timer ran');
      return faults;
    },
  };
}

export async function echoServer() {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect(server.address().port, '127.0.0.1');
  await once(socket, 'connect');
  let stopped = false;
  const times = [];
  const loop = (async () => {
    while (!stopped) {
      const started = performance.now();
      socket.write('ping');
      await once(socket, 'data');
      times.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    async end() {
      stopped = true;
      await loop;
      socket.destroy();
      server.close();
      times.sort((a, b) => a - b);
      return {
        echoMs: { count: times.length, median: Math.round(times[times.length >> 1]), most: Math.round(times.at(-1)) },
      };
    },
    faults: () => (times.at(-1) > STARVED_MS ? [`an echo took ${Math.round(times.at(-1))} ms`] : []),
  };
}
