/** A file that is not there. stuck-child.mjs asks for it right before its calls: a trace shows where they begin. */
export const MARKER = '/ioengine-calls-begin';
