// One line that says how far a copy is, for a terminal; or nothing.

import { bar, bytes, duration } from './text';

const REDRAW_MS = 100;

export class Progress {
  #done = 0;
  #drawn = 0;
  readonly #started = performance.now();

  constructor(
    /** Bytes; those that are read back count once more. */
    private readonly total: number,
    private readonly isShown: boolean,
  ) {}

  add(count: number): void {
    this.#done += count;
    if (this.isShown && performance.now() - this.#drawn >= REDRAW_MS) this.#draw();
  }

  #draw(): void {
    this.#drawn = performance.now();
    const seconds = (this.#drawn - this.#started) / 1000;
    const rate = this.#done / Math.max(seconds, 0.001);
    const share = this.total === 0 ? 1 : this.#done / this.total;
    const left = duration((this.total - this.#done) / Math.max(rate, 1));
    const percent = `${Math.floor(share * 100)}`.padStart(3);
    const figures = `${percent} %  ${bytes(this.#done)} of ${bytes(this.total)}  ${bytes(rate)}/s  ${left} left`;
    process.stderr.write(`\r\x1b[K${bar(share, 24).padEnd(24)}  ${figures}`);
  }

  end(): void {
    if (this.isShown && this.#drawn > 0) process.stderr.write('\r\x1b[K');
  }
}
