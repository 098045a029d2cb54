{
  'targets': [
    {
      'target_name': 'ioengine',
      'sources': ['<!@(node scripts/list-native-sources.mjs addon)'],
      'include_dirs': ['csrc'],
      'defines': [
        'NAPI_VERSION=9',
        '_FILE_OFFSET_BITS=64',
      ],
      'cflags': [
        '-O2',
        '-Wall',
        '-Wextra',
        '-Werror=return-type',
        '-fvisibility=hidden',
        '-fno-strict-aliasing',
      ],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=c++20', '-fno-rtti'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fvisibility-inlines-hidden', '-Wno-unused-parameter'],
      'conditions': [
        ['OS=="linux"', {
          # nodelete: Node unmaps an addon when the last worker that loaded it ends, while a
          # native thread of ours may still be on its way out (hazard H10).
          'ldflags': [
            '-Wl,-z,nodelete',
            '-Wl,--exclude-libs,ALL',
            '-Wl,--version-script=<(module_root_dir)/csrc/addon.map',
            '-static-libgcc',
            '-static-libstdc++',
          ],
          'libraries': ['-l:liburing.a', '-lpthread'],
        }],
      ],
    },
  ],
}
