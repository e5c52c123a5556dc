import { expect, test } from '@playwright/test'
import { entered, given } from './entered'

test('the page proves an event, or refuses it', async ({ browser }) => {
  const page = await entered(browser, given('ADMIN'))
  await page.goto(`/audit/${given('EVENT')}`)
  await page.getByRole('button', { name: /verify/i }).first().click()
  const verdict = page.getByTestId('proof-verdict')
  await expect(verdict).toHaveAttribute('data-proved', given('PROVED'))
  await page.screenshot({ path: `${given('SHOTS')}/proof-${given('PROVED') === 'true' ? 'holds' : 'refused'}.png`, fullPage: true })
})
