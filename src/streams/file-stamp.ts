// What tells that a file has not been changed since: csrc/scheduler/file_stamp.h.

import { type Addon, pathNumbers } from '../native/addon';

export class FileStamp {
  private readonly size = pathNumbers[0];
  private readonly modifiedSeconds = pathNumbers[1];
  private readonly modifiedNanoseconds = pathNumbers[2];
  private readonly changedSeconds = pathNumbers[3];
  private readonly changedNanoseconds = pathNumbers[4];

  /** The stamp of an open file now; undefined where an equal one later would prove nothing. */
  static of(native: Addon, fd: number): FileStamp | undefined {
    return native.stamp(fd) === 0 ? undefined : new FileStamp();
  }

  /** Whether the file is what it was when the stamp was taken. */
  stillHolds(native: Addon, fd: number): boolean {
    return (
      native.stamp(fd) !== 0 &&
      pathNumbers[0] === this.size &&
      pathNumbers[1] === this.modifiedSeconds &&
      pathNumbers[2] === this.modifiedNanoseconds &&
      pathNumbers[3] === this.changedSeconds &&
      pathNumbers[4] === this.changedNanoseconds
    );
  }
}
