'use strict';
// For resolvers that do not know the `exports` of package.json, such as pnpm's Plug'n'Play.
module.exports = require('./dist/fs.js');
