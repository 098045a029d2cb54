// Which FileHandles a stream may read past their method `read`: those whose method is the engine's own. The FileHandle
// of ioengine says so once there is one; it stands above the streams, and nothing here imports it.

let isReadByEngine: (handle: object) => boolean = () => false;

export function tellWhoReadsByEngine(test: (handle: object) => boolean): void {
  isReadByEngine = test;
}

/** True while the read of this handle is the engine's own method. */
export function readsByEngine(handle: object): boolean {
  return isReadByEngine(handle);
}
