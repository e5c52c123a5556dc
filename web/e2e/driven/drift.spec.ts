import { expect, test } from '@playwright/test'
import { entered, given } from './entered'

test.describe.configure({ timeout: 400_000 })

test('a drift is put back by what was approved, and closed by a fresh scan', async ({ browser }) => {
  const admin = await entered(browser, given('ADMIN'))
  const approver = await entered(browser, given('APPROVER'))
  await admin.goto(`/findings/${given('FINDING')}`)
  await expect(admin.getByRole('heading', { level: 1 })).toContainText('aws_security_group.web')
  await expect(admin.getByText('0.0.0.0/0').first()).toBeVisible()
  await admin.screenshot({ path: given('SHOTS') + '/drift-of-terraform.png' })

  await admin.getByRole('button', { name: /^Revert/ }).first().click()
  await admin.getByRole('dialog').getByRole('button', { name: /^Revert/ }).click()
  // What would change is worked out first; then it waits for somebody else.
  const link = admin.getByRole('link', { name: /approval/i }).first()
  await link.waitFor({ timeout: 120_000 })
  const href = await link.getAttribute('href')
  await approver.goto(href ?? '/')
  await approver.getByRole('button', { name: /^Approve/ }).first().click()
  await approver.getByRole('dialog').getByRole('button', { name: /^Approve/ }).click()
  await expect(admin.getByText('fixed', { exact: true }).first()).toBeVisible({ timeout: 240_000 })
})
