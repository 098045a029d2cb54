// Bundles an application twice with a cache in the filesystem: the second build reads what the first has stored.
import path from 'node:path';
import { promisify } from 'node:util';
import webpack from 'webpack';

/** ioengine/fs through the compiler's own properties, as middlewares for development set them. */
class OurFileSystem {
  constructor(fs) {
    this.fs = fs;
  }

  apply(compiler) {
    compiler.inputFileSystem = new compiler.inputFileSystem.constructor(this.fs, 60_000);
    compiler.outputFileSystem = this.fs;
    compiler.intermediateFileSystem = this.fs;
  }
}

async function build({ fs, folder, way, round }) {
  const compiler = webpack({
    mode: 'development',
    context: path.join(folder, 'app'),
    entry: './index.js',
    devtool: 'source-map',
    target: 'node',
    cache: { type: 'filesystem', cacheDirectory: path.join(folder, 'cache'), compression: false },
    output: { path: path.join(folder, `out-${round}`), filename: '[name].js', chunkFilename: 'chunk-[id].js' },
    module: { rules: [{ test: /\.txt$/, type: 'asset/resource' }] },
    plugins: way === 'option' ? [new OurFileSystem(fs)] : [],
  });
  const stats = await promisify(compiler.run).call(compiler);
  await promisify(compiler.close).call(compiler);
  const { errors, warnings, assets } = stats.toJson({ all: false, errors: true, warnings: true, assets: true });
  return {
    errors: errors.map(({ message }) => message),
    warnings: warnings.length,
    assets: assets.map(({ name, size }) => `${name} ${size}`).sort(),
  };
}

export default async function work(about) {
  return [await build({ ...about, round: 1 }), await build({ ...about, round: 2 })];
}
