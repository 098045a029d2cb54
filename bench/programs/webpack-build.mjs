// Bundles an application of a few hundred modules: ENTRY FOLDER
import { promisify } from 'node:util';
import webpack from 'webpack';

const [entry, folder] = process.argv.slice(2);
const compiler = webpack({
  mode: 'development',
  devtool: 'source-map',
  entry,
  target: 'node',
  output: { path: `${folder}/out`, filename: '[name].js' },
});
const stats = await promisify(compiler.run).call(compiler);
await promisify(compiler.close).call(compiler);
const { errors, assets } = stats.toJson({ all: false, errors: true, assets: true });
if (errors.length > 0) throw new Error(errors[0].message);
console.log(assets.map(({ name, size }) => `${name} ${size}`).join());
