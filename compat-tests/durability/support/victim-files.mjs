/** The ways to be durable, by the names of their files in victim.mjs. */
export const actorNames = [
  'handle.sync',
  'handle.datasync',
  'callbacks',
  'in-place',
  'direct',
  'O_DSYNC',
  'O_SYNC',
  'writeFile',
  'writeFile-callback',
  'writeFile-again',
  'appendFile',
  'stream',
  'stream-behind',
  'stream-direct',
  'handle-stream',
  'rename',
];
