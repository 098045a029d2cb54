// Node's native half of fs, which process.binding shows. Simulated file systems (mock-fs) put functions of their own
// into it, so that node:fs serves files that the kernel does not know.

type Binding = Record<string, unknown>;

const { binding } = process as { binding?: (name: string) => Binding };

/** Undefined where it is closed (--permission). */
function find(): Binding | undefined {
  // --pending-deprecation warns of process.binding: that is meant for programs.
  const before = Object.getOwnPropertyDescriptor(process, 'noDeprecation');
  Object.defineProperty(process, 'noDeprecation', {
    value: true,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return binding?.call(process, 'fs');
  } catch {
    return undefined;
  } finally {
    delete process.noDeprecation;
    if (before !== undefined) Object.defineProperty(process, 'noDeprecation', before);
  }
}

export const nodeBinding: Binding | undefined = find();

export const isNativeFunction = (value: unknown): value is (...args: never) => unknown =>
  typeof value === 'function' &&
  Function.prototype.toString.call(value).includes('[native code]') &&
  !value.name.startsWith('bound ');

const nativeOrNone = (value: unknown): unknown => (isNativeFunction(value) ? value : undefined);
const open = nativeOrNone(nodeBinding?.open);
const readdir = nativeOrNone(nodeBinding?.readdir);

/** True once somebody has replaced node's own functions: what a path or a descriptor is, only they know. */
export function filesAreSimulated(): boolean {
  return nodeBinding !== undefined && nodeBinding.open !== open;
}

/** The same of the one that lists a directory: a filesystem that does not tell what its entries are is tried so. */
export function listsAreSimulated(): boolean {
  return nodeBinding !== undefined && nodeBinding.readdir !== readdir;
}
