import { expect, test } from '@playwright/test'
import { alert, stage, type Stage } from './stage'

let on: Stage

test.beforeAll(async () => void (on = await stage()))
test.afterAll(() => on.site.end())

/** The numbers in the log that the page has heard of. */
const heard = (page: import('@playwright/test').Page) =>
  page.locator('[data-seq]').evaluateAll((all) => all.map((one) => Number(one.getAttribute('data-seq'))).sort((a, b) => a - b))

test('offline and back, and through a restart of the server, no event is lost', async ({ browser }) => {
  const { page, context } = await on.ada.browser(browser)
  await expect(page.getByRole('status', { name: 'Live' })).toBeVisible()
  await page.getByRole('button', { name: 'What happens' }).click()
  await alert(on, 'web-1')
  await expect.poll(async () => (await heard(page)).length).toBeGreaterThan(0)

  await context.setOffline(true)
  await expect(page.getByText('Not connected')).toBeVisible()
  await alert(on, 'web-2')
  await context.setOffline(false)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('status', { name: 'Live' })).toBeVisible()

  await on.site.down()
  await expect(page.getByText('Not connected')).toBeVisible()
  await on.site.again()
  await alert(on, 'web-3')
  await expect(page.getByRole('status', { name: 'Live' })).toBeVisible()
  await page.getByRole('button', { name: 'What happens' }).click()

  const events = await on.admin.get('/audit/events?limit=200')
  const newest = Math.max(...events.items.map((event: any) => event.seq))
  await expect.poll(async () => Math.max(...(await heard(page)))).toBeGreaterThanOrEqual(newest)
  const seen = await heard(page)
  const whole = Array.from({ length: seen.at(-1)! - seen[0]! + 1 }, (_, index) => seen[0]! + index)
  expect(seen).toEqual(whole)
})
