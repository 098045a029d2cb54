// node:fs with ioengine's additions in the place of the subject: every test has to pass against it, which shows
// that the harness raises no false alarm.
'use strict';
module.exports = require('./make-reference.cjs').makeReference();
