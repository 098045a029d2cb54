// How long a test waits for what has to come. Nothing waits that long unless something is broken, so it is far more
// than a slow or busy machine takes; mocha's own limit (.mocharc.cjs) is longer, so that a failure says what was
// missing.
export const patience_ms = Number(process.env.IOENGINE_TEST_PATIENCE_MS ?? 100_000);
