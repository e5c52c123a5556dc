import { expect, test } from '@playwright/test'
import { stage, type Stage } from './stage'

let on: Stage

test.beforeAll(async () => void (on = await stage()))
test.afterAll(() => on.site.end())

test('an invitation is taken up by its link, and whoever takes it up is signed in', async ({ browser }) => {
  const { page: admin } = await on.admin.browser(browser)
  await admin.goto('/settings?tab=users')
  await admin.getByRole('button', { name: 'Invite somebody' }).click()
  await admin.getByRole('dialog').getByLabel('Address').fill('eve@example.com')
  await admin.getByRole('dialog').getByRole('button', { name: 'Invite', exact: true }).click()
  const link = (await admin.getByRole('group', { name: 'The link' }).textContent()) ?? ''
  expect(link).toContain('/invitation#csi_')

  const page = await (await browser.newContext({ baseURL: on.site.url })).newPage()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'You are invited' })).toBeVisible()
  expect(page.url()).not.toContain('csi_')
  await page.getByLabel('User name').fill('eve')
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.getByLabel('The password again').fill('short')
  await page.getByRole('button', { name: 'Take it up and sign in' }).click()
  await expect(page.getByText(/must have 15 characters or more/)).toBeVisible()
  await page.getByLabel('Password', { exact: true }).fill('nobody guesses this sentence')
  await page.getByLabel('The password again').fill('nobody guesses this sentence')
  await page.getByRole('button', { name: 'Take it up and sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Inbox' })).toBeVisible()
  expect(asked.filter((url) => url.includes('csi_'))).toEqual([])
})

test('an exception of a policy is approved by somebody else, and its violation stands', async ({ browser }) => {
  const policy = await on.admin.post('/provider-policies', {
    external_id: 'tls12', name: 'TLS 1.2 or newer', provider: 'azure', type: 'BuiltIn', status: 'active',
  })
  const resource = on.hosts['web-1']
  const violation = await on.admin.post('/findings', {
    kind: 'violation', fingerprint: 'tls', title: 'TLS 1.1 is spoken', severity: 'high', resource_id: resource,
    violation: { policy_id: policy.id },
  })
  const ends = new Date(Date.now() + 30 * 86_400_000).toISOString()
  const asked = await on.ada.post('/exceptions', {
    policy_id: policy.id, resource_id: resource, reason: 'the appliance is replaced in June', expires_at: ends,
  })
  const { page } = await on.grace.browser(browser)
  await page.getByRole('link', { name: /TLS 1.2 or newer.*may be broken by/ }).click()
  await expect(page.getByText(/The policy TLS 1.2 or newer may be broken by web-1/)).toBeVisible()
  await page.getByRole('button', { name: /^Approve/ }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: /^Approve/ }).click()
  await expect(page.getByText('approved').first()).toBeVisible()
  await page.goto(`/findings/${violation.id}`)
  await page.getByRole('link', { name: 'an exception' }).click()
  await page.getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByLabel('Why').fill('it was replaced')
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await expect(page.getByText('It is over and allows nothing.')).toBeVisible()
  expect((await on.admin.get(`/exceptions/${asked.exception_id}`)).status).toBe('expired')
  expect((await on.admin.get(`/findings/${violation.id}`)).status).toBe('open')
})
