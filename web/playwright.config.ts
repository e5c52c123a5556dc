import { defineConfig } from '@playwright/test'
import { existsSync } from 'node:fs'

// What is driven by a Rust test finds its server in the environment; the rest starts its own.
const driven = process.env.COUNTERSIGN_URL !== undefined
// The page that what is measured is written to.
const figures = process.env.COUNTERSIGN_FIGURES
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

export default defineConfig({
  testDir: driven ? './e2e/driven' : './e2e',
  testIgnore: driven ? [] : ['driven/**'],
  outputDir: process.env.COUNTERSIGN_E2E_OUT ?? 'test-results',
  workers: 1,
  fullyParallel: false,
  retries: process.env.CI ? 1 : 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: figures ? [['list'], ['./e2e/report.ts', { file: figures }]] : [['list']],
  use: {
    viewport: { width: 1440, height: 900 },
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    trace: 'retain-on-failure',
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
  },
})
