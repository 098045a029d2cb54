import fs from './fs.js';

export default fs;
export const { open, read, write, promises, constants, createReadStream, createWriteStream } = fs;
