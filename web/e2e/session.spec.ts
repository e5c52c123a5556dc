import { expect, test } from '@playwright/test'
import { stage, type Stage } from './stage'

let on: Stage
test.beforeAll(async () => void (on = await stage()))
test.afterAll(() => on.site.end())

test('a session that was ended elsewhere leads to the login, with few questions', async ({ browser }) => {
  const { page } = await on.ada.browser(browser)
  await page.goto('/findings')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Findings')
  let asked = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/api/v1/account')) asked += 1
  })

  const users = await on.admin.get('/users?username=ada')
  const sessions = await on.admin.get(`/sessions?user_id=${users.items[0].id}&is_active=true`)
  for (const { id } of sessions.items) await on.admin.delete(`/sessions/${id}`)

  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible()
  expect(asked).toBeLessThan(10)
  await page.getByLabel('User name').fill('ada')
  await page.getByRole('textbox', { name: 'Password' }).fill(on.ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Findings')
})
