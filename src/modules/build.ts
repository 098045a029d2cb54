// A drop-in module: the properties of node's, descriptor by descriptor, with some functions replaced. A replacement
// takes over name, length and symbol properties (util.promisify reads them), so that it cannot be told from node's.
// Accessors stay accessors: a getter may load what nobody needs yet, or warn of a deprecation.

type Functions = Record<string, unknown>;

/** `replacement` with the looks of `model`, if both are functions. */
export function dressed(replacement: unknown, model: unknown): unknown {
  if (typeof replacement !== 'function' || typeof model !== 'function') return replacement;
  // Libraries tell an async function by its constructor's name.
  const kind = Object.getPrototypeOf(model);
  if (Object.getPrototypeOf(replacement) !== kind) Object.setPrototypeOf(replacement, kind);
  // All at once, here and below: one by one takes twice as long, in every program that starts.
  const looks: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(model);
  delete looks.prototype;
  return Object.defineProperties(replacement, looks);
}

/**
 * The property `name`, whose descriptor this is, with `replacement` in the place of node's function. Where node loads
 * its own at the first use and then keeps it as a plain value, so does this.
 */
export function replaced(descriptor: PropertyDescriptor, name: string, replacement: unknown): PropertyDescriptor {
  if ('value' in descriptor) {
    descriptor.value = dressed(replacement, descriptor.value);
    return descriptor;
  }
  // Functions of the old kind, as node's are.
  function set(this: object, value: unknown): void {
    Object.defineProperty(this, name, { writable: true, value });
  }
  function get(this: object): unknown {
    const value = dressed(replacement, descriptor.get!.call(this));
    set.call(this, value);
    return value;
  }
  dressed(get, descriptor.get);
  dressed(set, descriptor.set);
  return { ...descriptor, get, set };
}

/** Copies node's module and puts `replacements` in; names that node's lacks are left out. */
export function buildModule<T extends object>(node: T, replacements: Functions): T {
  const descriptors: Record<string, PropertyDescriptor> = Object.getOwnPropertyDescriptors(node);
  for (const name of Object.keys(replacements)) {
    if (Object.hasOwn(descriptors, name)) {
      descriptors[name] = replaced(descriptors[name]!, name, replacements[name]);
    }
  }
  return Object.create(Object.getPrototypeOf(node), descriptors) as T;
}
