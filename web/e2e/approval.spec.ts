import { expect, test } from '@playwright/test'
import { alert, approvalFor, stage, type Stage } from './stage'
import { Refused } from './people'

let on: Stage

test.beforeAll(async () => void (on = await stage()))
test.afterAll(() => on.site.end())

test('a vote in one browser is seen at once in another', async ({ browser }) => {
  const approval = await approvalFor(on, await alert(on, 'web-1'))
  const ada = await on.ada.browser(browser)
  const grace = await on.grace.browser(browser)
  await ada.page.goto(`/executions/${(await on.admin.get('/executions?limit=1')).items[0].id}`)
  await expect(ada.page.getByText(/approval/i).first()).toBeVisible()
  await expect(grace.page.getByRole('heading', { name: 'For your vote' })).toBeVisible()
  await grace.page.goto(`/approvals/${approval.id}`)
  await grace.page.getByRole('button', { name: /^Approve/ }).first().click()
  await grace.page.getByRole('dialog').getByRole('button', { name: /^Approve/ }).click()
  await expect(ada.page.getByText('completed').first()).toBeVisible()
})

test('a denial needs a reason, ends the request and is seen', async ({ browser }) => {
  const approval = await approvalFor(on, await alert(on, 'web-2'))
  const { page } = await on.grace.browser(browser)
  await page.goto(`/approvals/${approval.id}`)
  await page.getByRole('button', { name: /^Deny/ }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('the shop is being moved: not now')
  await dialog.getByRole('button', { name: /^Deny/ }).click()
  await expect(page.getByText('denied').first()).toBeVisible()
  expect((await on.admin.get(`/approvals/${approval.id}`)).status).toBe('denied')
})

test('who may not vote can do it neither by button nor by request', async ({ browser }) => {
  const approval = await approvalFor(on, await alert(on, 'web-3'))
  for (const person of [on.vic, on.ada]) {
    const { page, context } = await person.browser(browser)
    await page.goto(`/approvals/${approval.id}`)
    await expect(page.getByText('Voting needs the role approver or admin.').first()).toBeVisible()
    const button = page.getByRole('button', { name: /^Approve/ }).first()
    if (await button.count()) await expect(button).toBeDisabled()
    // With the very cookie of the page.
    const status = await page.evaluate(async (id) => {
      const answer = await fetch(`/api/v1/approvals/${id}/approve`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}',
      })
      return answer.status
    }, approval.id)
    expect(status).toBe(403)
    await context.close()
  }
  const refused = await on.vic.post(`/approvals/${approval.id}/approve`).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refused)
  expect((await on.admin.get(`/approvals/${approval.id}`)).votes).toEqual([])
})
