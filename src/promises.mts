import promises from './promises.js';

export default promises;
export const { open, readFile, writeFile, appendFile, constants } = promises;
