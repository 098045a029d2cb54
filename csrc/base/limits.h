// Every bound of the engine, with its reason. Nothing else in csrc/ holds a magic number for a limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ioengine::limits {

// Requests with the kernel at once, per engine. 128 saturates the disks we measured
// (bench/cases/direct-random-read.mjs); twice that leaves room for merging. On AIO this counts against
// fs.aio-max-nr (65,536 by default), so many Workers must fit (H23).
constexpr uint32_t depth = 256;

// io-wq threads per ring for blocking work on regular files, and for the rest (H14). The kernel's own default
// is min(sq entries, 4 × CPUs) and RLIMIT_NPROC.
constexpr unsigned uring_workers_bounded = 16;
constexpr unsigned uring_workers_unbounded = 4;

// Threads of the pool, per engine, started on demand. As many jobs run as there are processors while they are
// short; at most so many where they wait for a device (libuv has 4 for the whole process; buffered misses on
// AIO and the threads backend want more overlap on a fast disk). A job that took longer than `short_job_ns`,
// and slept meanwhile, makes the pool wide until so many others have been short.
constexpr size_t pool_threads = 8;
constexpr uint64_t short_job_ns = 200 * 1000;
constexpr uint32_t wide_jobs = 64;
// A job that has run for so long holds nobody back any more: another thread takes the queue on, up to so many
// in all. Where this process has used all processors a job has probably waited for one of them: then it is to
// run for `stuck_busy_ns`, a few time slices of the kernel.
constexpr uint64_t stuck_ns = 1000 * 1000;
constexpr uint64_t stuck_busy_ns = 8 * 1000 * 1000;
// One whose thread has used a processor for one part in so many since the last look computes, and is not
// stuck.
constexpr uint64_t computing_share = 16;
constexpr size_t local_threads_max = 32;
// A call on a path that has run for so long is one on a server that does not answer, as far as anybody can
// tell: a link leads there. What is asked for at or below that path waits in a queue of its own from then on;
// when so many paths of a folder have hung, all of the folder. So many such queues at once.
constexpr uint64_t suspect_ns = 50 * 1000 * 1000;
constexpr size_t suspects_of_folder = 3;
constexpr size_t suspects = 32;
// The thread that watches goes on for so many looks when nothing waits any more.
constexpr uint32_t looks_without_work = 20;
// Threads of one remote mount: at first, and at most where it ends jobs as fast as they come; of all of them
// together, and how many more there are for the first ones of each.
constexpr size_t mount_threads_first = 4;
constexpr size_t mount_threads_max = 112;
constexpr size_t mounts_threads_max = 112;
constexpr size_t mount_threads_reserve = 16;
// Mounts with a queue of their own; any more share them. How often the kernel is asked whether the list of
// mounts has changed, at most.
constexpr size_t mount_queues = 256;
constexpr uint64_t mount_look_ns = 1000 * 1000;
// All of the above, one that looks after the others, and no more.
constexpr size_t threads_max = local_threads_max + mounts_threads_max + mount_threads_reserve + 1;
// A thread that has had nothing to do for so long ends.
constexpr uint64_t idle_thread_ns = uint64_t{10} * 1000 * 1000 * 1000;
// Look-ups that are handed to the pool together, which publishes them at once when nothing is in flight.
constexpr size_t look_ups_together = 8;
// Look-ups that a thread of the pool takes at once while jobs are short; what it has not begun others take
// from it.
constexpr size_t batch_jobs = 8;
// Finished requests of which the owner hears together, while there is more to do and jobs are short.
constexpr size_t announced_together = 16;
// And those of a turn that are looked up on the calling thread while the pool has nothing to do.
constexpr uint32_t look_ups_here = 2;
constexpr size_t pool_stack_bytes = 256 * 1024;

// A request that the pool ends so soon is waited for without sleeping, on both sides: waking a processor up
// takes longer than writing 64 KiB into the page cache (72 µs a write with it, 20 without, on a virtual
// machine). Every so many times the sleep is tried again: was there nothing else to do?
constexpr uint64_t spin_ns = 50 * 1000;
constexpr uint32_t spins_in_a_row = 64;
// After spins that were in vain so many waits sleep at most before the next is tried.
constexpr uint32_t spins_left_out_max = 63;

// One request moves at most this many bytes per attempt: the kernel's own limit for read and write (read(2)).
constexpr uint64_t transfer_bytes = 0x7ffff000;
constexpr uint32_t vectors = 1024;  // per attempt too: IOV_MAX of Linux (readv(2))

// Inline lane, per turn of the event loop: an endless loop of cached reads must not hold back a 1 ms timer.
constexpr uint32_t inline_operations = 128;
constexpr uint64_t inline_bytes = 1024 * 1024;  // about 130 µs of copying at 8 GB/s
constexpr uint64_t inline_time_ns = 300 * 1000;
constexpr uint64_t inline_read_bytes =
    128 * 1024;  // larger reads free the JavaScript thread instead of copying on it

// A hit earns trust in the page cache of a file: up to this many reads go without a cachestat(2) first.
constexpr uint16_t warm_credit_max = 64;

// Files up to this size are opened, read and closed in one go; so much of them may be read before JavaScript
// takes it.
constexpr uint32_t whole_file_bytes = 128 * 1024;
constexpr uint64_t whole_files_held_bytes = 32 * 1024 * 1024;

// Files of up to so much are opened, written and closed in one pool job; larger ones in steps, which leave
// the pool's threads to others.
constexpr uint32_t whole_write_bytes = 1024 * 1024;

// A job on a tree or a large file works for so long at a time: a thread or process that ends waits for that,
// and so do the requests behind it. What removes a tree goes so deep: each level holds a descriptor.
constexpr uint64_t slice_time_ns = 20 * 1000 * 1000;
constexpr int tree_depth = 64;

// Descriptors that such jobs keep between their slices, in the whole process, but no more than a quarter of
// RLIMIT_NOFILE; beyond it a removal opens its directories again, and a copy ends its file first.
constexpr size_t held_descriptors = 256;

// A file is copied by read and write up to this size, and where the kernel does not copy; else so much of it
// by one call, which takes a few milliseconds.
constexpr uint64_t copy_buffer_bytes = 128 * 1024;
constexpr uint64_t copy_part_bytes = 8 * 1024 * 1024;

// Mounts whose filesystem is remembered, for paths on the calling thread, and those that are barred from it.
constexpr size_t known_mounts = 64;

// An inline call that slept and took this long bars the lane for its mount: at first for so long, twice as
// long each time after, up to a minute.
constexpr uint64_t inline_slow_ns = 1500 * 1000;
constexpr uint64_t inline_bar_ns = 100 * 1000 * 1000;
constexpr uint64_t inline_bar_max_ns = uint64_t{60} * 1000 * 1000 * 1000;

// For so long a look at a file's times is good: a loop of cached reads does not pay for it each time.
constexpr uint64_t quiet_ns = 100 * 1000;

// Larger files are closed in the pool: whether they have dirty pages takes too long to find out.
constexpr uint64_t inline_close_bytes = 1024 * 1024;

// At this many cached reads per submit a ring serves them cheaper in one batch than one call each.
constexpr uint32_t batch_threshold = 4;
// So many batches pass before an AIO context is made for them alone.
constexpr uint32_t batches_before_context = 100;

// Delivery: how long the engine may hold the event loop before timers and sockets get their turn.
constexpr uint64_t turn_time_ns = 500 * 1000;
constexpr size_t results_per_delivery = 512;

// Direct requests larger than this are pinned and split by the kernel inside the submitting call (64
// MiB: 18.9 ms, H16), so they leave the JavaScript thread.
constexpr uint64_t direct_submit_bytes = 1024 * 1024;

// Direct requests with a device at once, in tags of it (jobs/device_tags.h): all but every so manieth of
// what it has, because filesystems, buffered I/O and other processes hold some as well; and what is taken for
// it where nothing tells (AHCI disks have 64 and 32). Any engine may have a share of so much of that whatever
// others hold. After a submission that slept the bound is doubled every so often until it is whole.
constexpr uint32_t device_tags_left = 8;
constexpr uint32_t device_tags_unknown = 64;
constexpr uint32_t device_tags_floor = 32;
constexpr uint64_t device_tags_raise_ns = 250 * 1000 * 1000;
// For so long what a device says of its queue is good.
constexpr uint64_t device_look_ns = uint64_t{1000} * 1000 * 1000;

// Reads up to this size that may wait are staged (scheduler/staging.h), and so many bytes of them at once:
// beyond it they wait for memory. 128 KiB is where malloc starts to map each buffer on its own.
constexpr uint64_t staged_read_bytes = 128 * 1024;
constexpr uint64_t staged_bytes_max = 32 * 1024 * 1024;
// The same for reads from remote mounts, which go without staging beyond it.
constexpr uint64_t staged_remote_bytes_max = 256 * 1024 * 1024;

// What a kernel queue has refused so often in a row goes to the pool; one that refuses everything for so long
// is given up (base/refusals.h).
constexpr uint32_t submit_failures = 64;
constexpr uint64_t refused_ns = uint64_t{1000} * 1000 * 1000;
// A ring or a context that could not be made for want of memory or descriptors is tried again after so long.
constexpr uint64_t make_again_ns = 100 * 1000 * 1000;
// Between looks whether the kernel has let go of a closed ring, where no thread can be had to wait for that.
constexpr unsigned release_look_us = 500;

// Adjacent direct requests of one descriptor are merged up to this size.
constexpr uint64_t merge_bytes = 256 * 1024;
constexpr uint32_t merge_requests = 64;

}  // namespace ioengine::limits
