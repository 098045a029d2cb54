// The methods of node's stream classes that ours run on, as they were before `streams/install-in-place.ts` replaced
// them.

import { nodeFs } from './fs';

type Done = (error?: unknown) => void;

export interface StreamMethods {
  _construct(callback: Done): void;
  _read(size: number): void;
  _write(chunk: Uint8Array, encoding: string, callback: Done): void;
  _writev(chunks: { chunk: Uint8Array }[], callback: Done): void;
  _destroy(error: unknown, callback: Done): void;
}

type ClassName = 'ReadStream' | 'WriteStream';

const taken: Partial<Record<ClassName, StreamMethods>> = {};

/** Taken at the first call, which loads node's streams. */
export function streamMethods(name: ClassName): StreamMethods {
  taken[name] ??= { ...(nodeFs[name].prototype as unknown as StreamMethods) };
  return taken[name];
}
