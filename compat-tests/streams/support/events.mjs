// Recording what a stream does, so that two streams can be compared event by event.
import { once } from 'node:events';
import { eventually } from '../../helpers/events.mjs';
import { patience_ms } from '../../helpers/patience.mjs';

/** Records named events of a stream in order; `arguments` are kept for those where they say something. */
export function record(side, stream, names) {
  const log = [];
  for (const name of names) {
    stream.on(name, (...args) => {
      const kept =
        name === 'data'
          ? [args[0].length]
          : name === 'open'
            ? [typeof args[0]]
            : args.map((value) => side.describe(value));
      log.push([name, ...kept]);
    });
  }
  return log;
}

export async function closed(stream) {
  if (stream.closed) return;
  const timeout = AbortSignal.timeout(patience_ms);
  await once(stream, 'close', { signal: timeout }).catch((error) => {
    if (!stream.closed && error.name === 'AbortError') throw new Error('the stream did not close in time');
    // An 'error' event rejects once(); the stream still has to close.
    return stream.closed ? undefined : once(stream, 'close', { signal: timeout });
  });
}

export const READ_EVENTS = ['open', 'ready', 'data', 'end', 'error', 'close'];
export const WRITE_EVENTS = ['open', 'ready', 'drain', 'pipe', 'unpipe', 'finish', 'error', 'close'];

/** Reads a stream to its end: events, bytes and the properties that an application looks at. */
export async function drain(side, make, { names = READ_EVENTS, chunks = true } = {}) {
  const stream = make();
  const before = facts(side, stream);
  const log = record(side, stream, names);
  const parts = [];
  stream.on('data', (chunk) => parts.push(chunk));
  await closed(stream);
  const content = stream.readableEncoding ? parts.join('') : Buffer.concat(parts);
  return {
    before,
    events: chunks ? log : squeeze(log),
    classes: [...new Set(parts.map((part) => part.constructor.name))],
    content,
    after: facts(side, stream),
  };
}

/** Runs of 'data' become one: for sources that deliver in whatever pieces they like. */
export function squeeze(log) {
  return log
    .map((entry) => (entry[0] === 'data' ? ['data'] : entry))
    .filter((entry, index, all) => entry[0] !== 'data' || all[index - 1]?.[0] !== 'data');
}

export function facts(side, stream) {
  const names = [
    'path',
    'flags',
    'mode',
    'start',
    'end',
    'pos',
    'bytesRead',
    'bytesWritten',
    'pending',
    'destroyed',
    'closed',
    'autoClose',
    'readableHighWaterMark',
    'writableHighWaterMark',
    'readableEncoding',
  ];
  const seen = { class: stream.constructor.name, fd: stream.fd === null ? null : typeof stream.fd };
  for (const name of names) seen[name] = side.describe(stream[name]);
  return seen;
}

/** Tries to make the stream; a throw is an observation too. */
export async function drainOrThrow(side, make, options) {
  try {
    return await drain(side, make, options);
  } catch (error) {
    return { threw: error };
  }
}

/** After the last event that matters: a stream that was destroyed is closed, and then nothing more may come. */
export async function settled(stream) {
  await eventually(() => stream.closed || !stream.destroyed, 'the stream was destroyed and did not close');
  await pause_ms(20);
}

/** The value when it has stayed the same for 200 ms. */
export async function unchanging(read) {
  let value = read();
  let since = performance.now();
  await eventually(() => {
    const now = read();
    if (now !== value) [value, since] = [now, performance.now()];
    return performance.now() - since >= 200;
  }, 'something that keeps changing');
  return value;
}

export const pause_ms = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
