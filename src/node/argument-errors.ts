// Errors about arguments that node does not know, with node's texts.

/** How node shows a value in such an error: taken from one of its own. */
function received(value: unknown): string {
  try {
    Buffer.alloc(value as number);
  } catch (error) {
    return / Received (.*)$/s.exec((error as Error).message)?.[1] ?? String(value);
  }
  return String(value);
}

function withCode(error: Error, code: string): Error {
  // As node does it: the stack has the code in its first line, the name has not.
  const name = error.name;
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true });
  void error.stack;
  delete (error as { name?: string }).name;
  return Object.assign(error, { code });
}

/** For a property that has to be an integer from `least` on: ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE. */
export function wrongNumber(name: string, value: unknown, least: number): Error {
  if (typeof value !== 'number') {
    const text = `The "${name}" property must be of type number. Received ${received(value)}`;
    return withCode(new TypeError(text), 'ERR_INVALID_ARG_TYPE');
  }
  const range = Number.isInteger(value) ? `>= ${least} && <= ${Number.MAX_SAFE_INTEGER}` : 'an integer';
  const text = `The value of "${name}" is out of range. It must be ${range}. Received ${value}`;
  return withCode(new RangeError(text), 'ERR_OUT_OF_RANGE');
}
