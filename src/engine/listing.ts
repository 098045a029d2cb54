// Lists of directory entries as the addon has them: each name with a slash behind it, and then one byte for the type of
// each, where they were asked for.

import type { Addon } from '../native/addon';
import { UTF8 } from './arguments';

export type Name = string | Buffer;

export interface Listing {
  names: Name[];
  /** One character or byte for each name. */
  types: string | Buffer;
}

const SLASH = 0x2f;

/** Of an accepted request that is being settled. */
export function takeListing(native: Addon, slot: number, encoding: string): Listing {
  return encoding === UTF8 ? ofText(native.takeText(slot)) : ofBytes(native.takeFound(slot), encoding);
}

export function listingOf(bytes: Buffer, encoding: string): Listing {
  return encoding === UTF8 ? ofText(bytes.toString()) : ofBytes(bytes, encoding);
}

function ofText(text: string): Listing {
  const names = text.split('/');
  return { types: names.pop()!, names };
}

function ofBytes(bytes: Buffer, encoding: string): Listing {
  const names: Name[] = [];
  let start = 0;
  for (let end = bytes.indexOf(SLASH); end >= 0; end = bytes.indexOf(SLASH, start)) {
    const name = Buffer.from(bytes.subarray(start, end));
    names.push(encoding === 'buffer' ? name : name.toString(encoding as BufferEncoding));
    start = end + 1;
  }
  return { names, types: bytes.subarray(start) };
}

/** libuv's number for the type of a name. */
export const typeAt = ({ types }: Listing, index: number): number =>
  typeof types === 'string' ? types.charCodeAt(index) : types[index]!;
