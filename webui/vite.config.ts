import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// HEARTHCAST_BOX names a running box (http://127.0.0.1:8872) for `vite dev`.
const box = process.env.HEARTHCAST_BOX ?? 'http://127.0.0.1:8872';

export default defineConfig({
  plugins: [svelte()],
  // The box's policy allows no inline script, style or data: script: everything leaves as a file of its own.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { proxy: { '/api': { target: box, changeOrigin: true } } },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
