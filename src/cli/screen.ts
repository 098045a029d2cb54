// A table that takes the place of the one before it, on a terminal that nothing else writes to.

export class Screen {
  #lines = 0;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly isOurs: boolean,
  ) {}

  show(lines: readonly string[]): void {
    const repaints = this.isOurs && this.stream.isTTY === true;
    if (repaints && this.#lines > 0) this.stream.write(`\x1b[${this.#lines}A\x1b[J`);
    this.stream.write(`${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }
}
