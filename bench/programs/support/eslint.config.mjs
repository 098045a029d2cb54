// A few rules of each kind; what they find is printed and compared, and fails nothing.
export default [
  {
    rules: {
      'no-unused-vars': 'warn',
      'no-undef': 'warn',
      'no-shadow': 'warn',
      'prefer-const': 'warn',
      'no-useless-escape': 'warn',
      complexity: ['warn', 15],
    },
  },
];
