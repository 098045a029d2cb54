// The fallback: node:fs serves what the engine does not. Calls with the arguments as they came, and what a chain of
// steps does when it turns out that the file is not the engine's.

import { types } from 'node:util';
import { nodeFs } from '../node/fs';
import { countDelegated, countDelegatedBytes } from './stats';

// biome-ignore lint/suspicious/noExplicitAny: node's functions with all their overloads
const functions = nodeFs as any;

/** node:fs serves the call, or raises its error. */
export function callFallback(name: string, args: ArrayLike<unknown>): unknown {
  countDelegated();
  return functions[name].apply(nodeFs, args);
}

/**
 * What `parse` makes of arguments, or undefined where a getter of the program's throws: node's function meets that
 * again, and its promise rejects.
 */
export function parsedOrUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

/**
 * A path or options as they are now, for a fallback that comes later: what the program does to its buffer or object
 * meanwhile must not send node to another file, or make it remove a tree.
 */
export function kept(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null) return argument;
  if (types.isUint8Array(argument)) return Buffer.from(argument);
  if (types.isProxy(argument)) return argument;
  const prototype: unknown = Object.getPrototypeOf(argument);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? Object.create(prototype, Object.getOwnPropertyDescriptors(argument)) : argument;
}

/** The same of all arguments; they themselves where there is nothing to keep. */
export function keptArguments(args: ArrayLike<unknown>): ArrayLike<unknown> {
  for (let index = 0; index < args.length; index++) {
    if (typeof args[index] === 'object' && args[index] !== null) return Array.from(args, kept);
  }
  return args;
}

/** Waits for a call of node's and counts it, with the bytes that it brings. */
export async function countedFallback<T>(call: Promise<T>): Promise<T> {
  countDelegated();
  const value = await call;
  if (types.isUint8Array(value) || typeof value === 'string') countDelegatedBytes(value.length);
  return value;
}

/** Thrown inside a chain when the file turns out to be node's to serve: the caller starts over with node:fs. */
export const FallbackSignal: unique symbol = Symbol('fallback');

/** `work` of the engine, or `fallback` when the file is node's to serve. */
export async function orFallback<T>(work: () => Promise<T>, fallback: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error !== FallbackSignal) throw error;
  }
  return fallback();
}

/** A callback function of node's, as a promise. */
export function viaCallback<T>(call: (callback: (error: unknown, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}
