// Sides inherit the caller's environment, without what would change the thing that is measured.

const UNWANTED = /^(UV_|IOENGINE_|NODE_OPTIONS$|NODE_V8_COVERAGE$|BUN_|DENO_)/;

/**
 * @param {Record<string, string>} [own]
 * @returns {Record<string, string | undefined>}
 */
export function cleanEnvironment(own) {
  const kept = Object.entries(process.env).filter(([name]) => !UNWANTED.test(name));
  return { ...Object.fromEntries(kept), ...own };
}
