// A backend requested by name has to be there when `ioengine/fs` is imported. Automatic choice touches nothing yet.

/**
 * Starts the engine of this thread if IOENGINE_BACKEND names a backend. Probing it and giving it back would not do:
 * taking down an AIO context waits 30 ms and more (io_destroy(2)). Throws ERR_IOENGINE_BACKEND_UNAVAILABLE with cause
 * and fix, or ERR_IOENGINE_BACKEND_UNKNOWN.
 */
export function startRequestedBackend(): void {
  const name = process.env.IOENGINE_BACKEND;
  if (name === undefined || name === '' || name === 'auto' || name === 'node') return;
  if (process.env.IOENGINE_DISABLE === '1') return;
  (require('./engine') as typeof import('./engine')).engine();
}
