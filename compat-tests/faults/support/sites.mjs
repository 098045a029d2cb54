// What can happen at each site of csrc/faults/sites.def, and what a program may notice of it.
//
//   exact   nothing: the call does what it always does
//   fails   its error may be the call's; where the engine has another way, or node, the call succeeds all the same
//   rejects the call has to report it

/** More often than anything is called. */
export const FOR_GOOD = 1e9;

const INTERRUPTED = { kind: 'error', value: 'EINTR', notice: 'exact', times: [1, 5] };
const SHORT = { kind: 'short', value: 0, notice: 'exact', times: [1, 6] };
const fails = (...codes) => codes.map((value) => ({ kind: 'error', value, notice: 'fails', times: [1, FOR_GOOD] }));
const exact = (...codes) => codes.map((value) => ({ kind: 'error', value, notice: 'exact', times: [1, FOR_GOOD] }));
/** A queue that refuses for good is given up after a second: elsewhere (for-good-child.mjs). */
const refused = (...codes) => codes.map((value) => ({ kind: 'error', value, notice: 'exact', times: [1, 20] }));
const slow = (value, times = [1, 3]) => ({ kind: 'delay', value, notice: 'exact', times });

const transfer = (...codes) => [...fails(...codes), INTERRUPTED, SHORT, slow(2000)];
const change = (...codes) => [...fails(...codes), INTERRUPTED];

export const actionsOf = {
  completion: [...fails('EIO', 'ENOSPC'), ...exact('EAGAIN', 'EOPNOTSUPP', 'ECANCELED'), INTERRUPTED, SHORT],
  hold_back: [slow(0, [1, 4, 50])],
  reorder: [{ kind: 'reorder', value: 0, notice: 'exact', times: [1, FOR_GOOD] }],
  open64: [...change('EMFILE', 'ENOMEM', 'EACCES'), slow(1500)],
  openat64: change('EMFILE', 'EACCES'),
  close: [...fails('EIO'), INTERRUPTED],
  read: transfer('EIO'),
  pread64: transfer('EIO'),
  readv: transfer('EIO'),
  preadv64: transfer('EIO', 'ENOMEM'),
  write: transfer('ENOSPC', 'EIO'),
  pwrite64: transfer('ENOSPC'),
  writev: transfer('EIO', 'ENOSPC'),
  pwritev64: transfer('ENOSPC', 'EIO'),
  fsync: [{ kind: 'error', value: 'EIO', notice: 'rejects', times: [1] }, INTERRUPTED, slow(3000)],
  fdatasync: [{ kind: 'error', value: 'EIO', notice: 'rejects', times: [1] }, INTERRUPTED],
  ftruncate64: change('EIO', 'EFBIG'),
  statx: change('EIO', 'ENOMEM'),
  fstat64: fails('EIO'),
  lstat64: fails('EIO', 'ELOOP'),
  stat64: fails('EIO'),
  // The file is node's then, which takes O_DIRECT at aligned places only.
  fstatfs64: fails('EIO').map((action) => ({ ...action, also: 'EINVAL' })),
  mkdir: change('ENOSPC', 'EACCES'),
  rmdir: change('EBUSY', 'EIO'),
  unlink: change('EBUSY', 'EIO'),
  unlinkat: fails('EBUSY', 'EIO'),
  rename: change('ENOSPC', 'EXDEV'),
  link: change('EMLINK', 'ENOSPC'),
  symlink: change('ENOSPC'),
  readlink: fails('EIO'),
  realpath: fails('EIO', 'ELOOP'),
  chmod: change('EPERM', 'EROFS'),
  fchmod: fails('EPERM'),
  chown: change('EPERM'),
  lchown: change('EPERM'),
  access: change('EIO'),
  copy_file_range: [...fails('EIO', 'ENOSPC'), ...exact('EXDEV', 'ENOSYS'), SHORT],
  mmap64: exact('ENOMEM'),
  munmap: exact('ENOMEM'),
  madvise: exact('EAGAIN', 'EINVAL'),
  posix_memalign: exact('ENOMEM'),
  eventfd_write: [slow(1000)],
  getdents64: fails('EIO'),
  preadv2: [...exact('EAGAIN'), ...fails('EIO'), SHORT],
  openat2: [...exact('EAGAIN'), ...fails('EMFILE')],
  cachestat: exact('EPERM'),
  io_submit: [...refused('EAGAIN', 'ENOMEM', 'EINTR'), SHORT],
  io_getevents: [],
  io_uring_submit: refused('EAGAIN', 'EBUSY', 'ENOMEM', 'EINTR'),
  io_uring_get_events: refused('EAGAIN', 'EINTR'),
  private_block: fails('ENOMEM'),
  nothrow_new: exact('ENOMEM'),
  // At the start of an engine or of its threads: elsewhere, in a process of their own.
  arm_wake_up: [],
  io_setup: [],
  io_uring_setup: [],
  io_uring_register: [],
  pthread_create: [],
};
