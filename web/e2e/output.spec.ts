import { expect, test } from '@playwright/test'
import { tell } from './figures'
import { stage, type Stage } from './stage'
import { watchInputs } from './speed'

// Some 100 MB: lines of a number and 64 characters.
const LINES = 1_450_000
let on: Stage

// What records the page slows it down.
test.use({ trace: 'off' })

test.describe.configure({ timeout: 600_000 })
test.beforeAll(async () => void (on = await stage(['--output-cap', String(256 << 20)])))
test.afterAll(() => on.site.end())

test('an output of 100 MB is followed to its end, searched, and does not freeze the page', async ({ browser }) => {
  const asked = await on.ada.post(`/runbooks/${on.runbooks['print-much']}/run`, {
    targets: ['web-1'], variables: { LINES: String(LINES) }, intent: 'a long output',
  })
  if (asked.approval_id) await on.grace.post(`/approvals/${asked.approval_id}/approve`, { note: 'print it' })
  const { page } = await on.ada.browser(browser)
  await page.goto(`/executions/${asked.execution_id}`)
  const output = page.getByRole('region', { name: /output/i }).first()
  await expect(output).toContainText('the quick brown fox')
  const inputs = await watchInputs(page)
  await page.evaluate(() => {
    const long: number[] = []
    Object.assign(window, { __long: long })
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => long.push(entry.duration))).observe({ type: 'longtask' })
  })
  // It follows: the last line comes in sight by itself.
  await expect(output).toContainText(`${LINES}: the quick brown fox`, { timeout: 400_000 })
  await expect(page.getByText('completed').first()).toBeVisible({ timeout: 120_000 })

  await page.getByRole('searchbox', { name: /search/i }).or(page.getByLabel(/search.*output/i)).first().fill('777777:')
  await page.keyboard.press('Enter')
  await expect(output).toContainText('777777: the quick brown fox', { timeout: 60_000 })
  const { worst } = await inputs()
  const long = await page.evaluate(() => (window as unknown as { __long: number[] }).__long)
  const longest = Math.max(0, ...long)
  tell(browser, {
    what: 'an output of 100 MB followed to its end and searched',
    measured: `longest task ${longest.toFixed(0)} ms, ${long.length} above 50 ms; longest interaction ${worst} ms`,
    how: 'long tasks and event timings as the browser tells them, while the step prints on a real host',
  })
  expect(long.filter((task) => task > 2_000)).toEqual([])
})
