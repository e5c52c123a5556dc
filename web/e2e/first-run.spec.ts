import { expect, test } from '@playwright/test'
import { Site } from './site'

const PASSWORD = 'nobody guesses this sentence'
let site: Site

test.beforeAll(async () => void (site = await Site.start()))
test.afterAll(() => site.end())

test('from an empty server to a change that was approved by a second person and ran', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: site.url })
  const page = await context.newPage()
  await page.goto('/')
  await page.getByLabel('User name').fill('admin')
  await page.getByLabel('Password', { exact: true }).fill(site.oneTime)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByLabel('The present one').fill(site.oneTime)
  await page.getByLabel('The new one', { exact: true }).fill(PASSWORD)
  await page.getByLabel('The new one again').fill(PASSWORD)
  await page.getByRole('button', { name: 'Set it' }).click()

  await expect(page.getByText('Nothing needs you')).toBeVisible()
  await page.getByRole('link', { name: 'First steps' }).click()
  await page.getByRole('button', { name: "Add the demo's hosts" }).click()
  await page.getByRole('button', { name: 'Connect it' }).click()
  await expect(page.getByLabel('Receiver for Alertmanager')).toContainText('/api/v1/hooks/alertmanager')
  await page.getByRole('button', { name: 'Import it' }).click()
  await page.getByRole('button', { name: 'Add them' }).click()
  const oneTime = (await page.getByTestId('one-time-password').textContent()) ?? ''
  await page.screenshot({ path: shot('first-run') })
  await page.getByRole('button', { name: 'Send it' }).click()
  await page.getByRole('link', { name: /Its approval: pending/ }).waitFor()

  // The second person, in a browser of their own.
  const other = await (await browser.newContext({ baseURL: site.url })).newPage()
  await other.goto('/')
  await other.getByLabel('User name').fill('grace')
  await other.getByLabel('Password', { exact: true }).fill(oneTime)
  await other.getByRole('button', { name: 'Sign in', exact: true }).click()
  await other.getByLabel('The present one').fill(oneTime)
  await other.getByLabel('The new one', { exact: true }).fill(`${PASSWORD} too`)
  await other.getByLabel('The new one again').fill(`${PASSWORD} too`)
  await other.getByRole('button', { name: 'Set it' }).click()
  await expect(other.getByRole('heading', { name: 'For your vote' })).toBeVisible()
  await other.getByRole('link', { name: /restart-supervised-service/ }).first().click()
  await other.getByRole('button', { name: /^Approve/ }).first().click()
  await other.getByRole('dialog').getByRole('button', { name: /^Approve/ }).click()
  await expect(other.getByText(/approved/i).first()).toBeVisible()

  // The first sees it run, without doing anything.
  await expect(page.getByText('An alert came in, a plan was made of it')).toBeVisible()
})

const shot = (name: string) => new URL(`../../docs/screenshots/${name}.png`, import.meta.url).pathname
