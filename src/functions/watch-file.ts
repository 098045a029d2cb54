// watchFile: node's own, whose first look at the file comes in front of later changes.

import { tryParsePath } from '../engine/arguments';
import { pathsAreGuarded, startedEngine } from '../engine/engine';
import { callFallback } from '../engine/fallback';
import { clearTimeout, nodeFs, setTimeout } from '../node/fs';

/** Longer than the first look of a watcher takes, unless it hangs: then nobody is to wait for it. */
const FIRST_LOOK_MS = 100;

/**
 * What a watcher compares with is its first look at the file, which libuv's pool takes: a change that is made behind
 * the call must not come first. Pool jobs of libuv start in order, so that look is over when another one behind it is.
 */
export function watchFile(...args: unknown[]): unknown {
  const isPlain = args.slice(1).some((argument) => typeof argument === 'function');
  const path = isPlain ? tryParsePath(args[0]) : undefined;
  const native = path === undefined || pathsAreGuarded() ? undefined : startedEngine();
  const look = native === undefined ? 0 : native.beginFirstLook(path!);
  try {
    return callFallback('watchFile', args);
  } finally {
    if (look > 0) {
      const end = (): void => native!.endFirstLook(look);
      const timer = setTimeout(end, FIRST_LOOK_MS).unref();
      nodeFs.stat(path as string, () => {
        clearTimeout(timer);
        end();
      });
    }
  }
}
