// Suites of what only the engine's streams do.
import { skip } from '../../helpers/backend.mjs';
import { subjectOverridden } from '../../helpers/oracle.mjs';
import { removeDirectory, temporaryDirectory } from '../../helpers/tempdir.mjs';

/**
 * A directory for as long as the suite runs that calls this; the suite is skipped where another module stands in for
 * the engine. Returns what says the path of a name in it: in hooks that come after this call, and in tests.
 */
export function engineDirectory() {
  let directory;
  before(function () {
    if (subjectOverridden) skip(this, 'because another module stands in for the engine');
    directory = temporaryDirectory();
  });
  after(() => directory && removeDirectory(directory));
  return (name = '.') => `${directory}/${name}`;
}
