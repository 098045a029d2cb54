// Node 20 and 22 read the source of an ES module with fs.promises.readFile, at the moment of the import. Such reads
// stay node's own where the engine is in node:fs: no module has to wait for an engine, or be the reason for one to
// start.

const LOADER = 'node:internal/modules/esm/load:';

/**
 * Whether node's module loader is the caller. It gives a URL and nothing else, so few other calls pay for the look at
 * the stack; where a program hides the stack, the engine serves the loader too.
 */
export function isLoaderRead(path: unknown, options: unknown): boolean {
  if (options !== undefined || !(path instanceof URL)) return false;
  try {
    const { stack } = new Error();
    return typeof stack === 'string' && stack.includes(LOADER);
  } catch {
    return false; // Error.prepareStackTrace is the program's
  }
}
