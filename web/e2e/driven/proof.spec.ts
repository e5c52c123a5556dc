import { expect, test, type Page } from '@playwright/test'
import { entered, given } from './entered'

/** Says that the fingerprint was compared, as a person does who has it from elsewhere. */
async function compare(page: Page) {
  await page.getByRole('button', { name: 'I compared the fingerprint' }).click()
  const sure = page.getByRole('dialog')
  await sure.getByRole('button', { name: 'I compared the fingerprint' }).click()
  await expect(sure).toBeHidden()
}

test('the page proves an event, or refuses it', async ({ browser }) => {
  const proved = given('PROVED') === 'true'
  const page = await entered(browser, given('ADMIN'))
  // Whoever looked at the log before has compared nothing by that.
  await page.goto('/audit')
  await expect(page.locator('[data-check="Signature"]')).toHaveAttribute('data-verdict', 'yes')
  await page.goto(`/audit/${given('EVENT')}`)
  const verify = page.getByRole('button', { name: 'Verify here' })
  const verdict = page.getByTestId('proof-verdict')
  await verify.click()
  await expect(verdict).toHaveAttribute('data-proved', proved ? 'open' : 'false')
  await expect(page.locator('[data-check="The key"]')).toHaveAttribute('data-verdict', 'open')
  await compare(page)
  await verify.click()
  await expect(verdict).toHaveAttribute('data-proved', proved ? 'true' : 'false')
  await expect(page.locator('[data-check="The key"]')).toHaveAttribute('data-verdict', 'yes')
  // What is refused is what was changed, and not the server's answer.
  await expect(page.locator('[data-check="Way to the root"]')).toHaveAttribute('data-verdict', proved ? 'yes' : 'no')
  await page.evaluate(() => scrollTo(0, 0))
  await page.screenshot({ path: `${given('SHOTS')}/proof-${proved ? 'holds' : 'refused'}.png`, fullPage: true })
})
