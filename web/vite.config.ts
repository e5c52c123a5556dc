import react from '@vitejs/plugin-react'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Writes `name.br` beside every text file, so that the server compresses nothing while it serves. */
function compressed(): Plugin {
  let out = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => void (out = config.build.outDir),
    async closeBundle() {
      for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
        // The page itself is filled in by the server, and so never served compressed from here.
        if (!entry.isFile() || !/\.(js|css|svg|json)$/.test(entry.name)) continue
        const path = join(entry.parentPath, entry.name)
        const text = await readFile(path)
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
        await writeFile(`${path}.br`, brotliCompressSync(text, { params }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), compressed()],
  // The server puts a fresh nonce in the place of this word each time it serves the page.
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Those that know light-dark(), which would otherwise be rewritten for others, and wrongly below :root.
    target: ['chrome123', 'edge123', 'firefox128', 'safari17.5'],
    // A data: URL would need a wider policy than 'self'.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
  },
  server: {
    proxy: { '/api': { target: process.env.COUNTERSIGN_URL ?? 'http://127.0.0.1:8080' } },
  },
})
