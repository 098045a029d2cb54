// A program of its own that bundles with webpack, which patches node:fs (graceful-fs), as no other test expects.
// Argument: the program to bundle, as JSON. Prints what webpack says.
import path from 'node:path';
import { promisify } from 'node:util';
import webpack from 'webpack';

const { entry, output, format, external = [], conditions } = JSON.parse(process.argv[2]);
const isModule = format === 'esm';
const library = { type: isModule ? 'module' : 'commonjs2' };
const externals = external.map((name) => new RegExp(`^${name}(/|$)`));
const done = await promisify(webpack)({
  target: 'node20',
  mode: 'development',
  devtool: false,
  context: path.dirname(entry),
  entry,
  externals,
  externalsType: isModule ? 'module' : 'commonjs',
  resolve: conditions && { conditionNames: [...conditions, 'node', isModule ? 'import' : 'require'] },
  experiments: { outputModule: isModule },
  output: { path: path.dirname(output), filename: path.basename(output), module: isModule, library },
});
const { errors, warnings } = done.toJson({ all: false, errors: true, warnings: true });
console.log(JSON.stringify([...errors, ...warnings].map(({ message }) => message)));
