import { defineConfig } from 'vitest/config';

// One file after the other: each runs a box, and the machine may be small and busy. A test ends by what it waits for,
// the limits are only for when that never comes.
export default defineConfig({
  test: {
    include: ['tests/browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 240_000,
    hookTimeout: 180_000,
    bail: 1, // each test of a story goes on from the one before
  },
});
