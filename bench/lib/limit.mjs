// Builds the C programs that show the limit.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { benchFolder, buildFolder } from './paths.mjs';

/**
 * @param {'random_read' | 'small_files' | 'copy_file' | 'without_uring' | 'pin_files'} [name]
 * @returns {{ path: string } | { missing: string }}
 */
export function buildLimit(name = 'random_read') {
  const source = join(benchFolder, 'limit', `${name}.c`);
  const path = join(buildFolder, name);
  const inputs = [source, join(benchFolder, 'limit', 'round.h')].map((file) => fs.statSync(file).mtimeMs);
  if (fs.existsSync(path) && fs.statSync(path).mtimeMs > Math.max(...inputs)) return { path };
  fs.mkdirSync(buildFolder, { recursive: true });
  try {
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-o', path, source, '-luring'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { path };
  } catch (error) {
    const { stderr, message } = /** @type {{ stderr?: Buffer, message: string }} */ (error);
    return { missing: `did not build: ${(stderr?.toString() || message).trim().split('\n')[0]}` };
  }
}
