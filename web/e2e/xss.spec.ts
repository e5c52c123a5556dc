import { expect, test, type Page } from '@playwright/test'
import { settled } from './settled'
import { alert, stage, type Stage } from './stage'

/** Texts that would do something if they were anything but text. */
const CORPUS = [
  '<script>window.__pwned=1</script>',
  '<img src=x onerror="window.__pwned=2">',
  '"><svg onload=window.__pwned=3>',
  'javascript:window.__pwned=4',
  '<a href="javascript:window.__pwned=5">press</a>',
  '<iframe srcdoc="<script>parent.__pwned=6</script>"></iframe>',
  '{{constructor.constructor("window.__pwned=7")()}}',
  '${window.__pwned=8}',
  '</title></style><style>*{display:none}</style>',
  '<math><mtext><table><mglyph><style><img src=x onerror=window.__pwned=9>',
  '[press](javascript:window.__pwned=10)',
  '![](https://evil.example.com/pixel.png)',
  'invoice\u202egnp.exe',
  '\u001b]8;;https://evil.example.com\u0007press\u001b]8;;\u0007',
  '=HYPERLINK("https://evil.example.com","press")',
]

let on: Stage
const findings: string[] = []
/** Where such text stands beside what a person decides on. */
let asked: string[] = []

test.beforeAll(async () => {
  on = await stage()
  for (const [index, text] of CORPUS.entries()) {
    findings.push(await alert(on, `host-${index}`, { note: text, service: text, alertname: `Odd${index} ${text}` }).catch(async () => {
      // What may stand in no name stands in a label all the same.
      return alert(on, `host-${index}`, { note: text })
    }))
  }
  await on.admin.post('/resources', { name: CORPUS[1]!, environment_id: on.environment, tags: { note: CORPUS[2]! } }).catch(() => undefined)
  const run = await on.ada.post(`/runbooks/${on.runbooks['print-much']}/run`, {
    targets: ['web-1'], variables: { LINES: '3' }, intent: CORPUS.join('\n'),
  })
  const log = await on.admin.get('/audit/events?action=alerts.received&limit=1')
  asked = [
    run.approval_id ? `/approvals/${run.approval_id}` : `/plans/${run.plan_id}`, `/plans/${run.plan_id}`,
    `/executions/${run.execution_id}`, `/decisions/${run.decision_id}`, `/audit/${log.items[0].id}`,
    `/runbooks/${on.runbooks['restart-supervised-service']}?tab=triggers`, '/governance?tab=exceptions', '/welcome',
  ]
  await on.admin.post('/environments', { name: CORPUS[0]!, slug: 'odd', class: 'test' }).catch(() => undefined)
})
test.afterAll(() => on.site.end())

async function inert(page: Page, requests: string[], violations: string[]) {
  expect(await page.evaluate(() => (window as unknown as { __pwned?: number }).__pwned)).toBeUndefined()
  expect(await page.locator('#root script, #root iframe, #root object, #root embed, a[href^="javascript:"]').count()).toBe(0)
  expect(await page.locator('#root img').count()).toBe(0)
  expect(requests).toEqual([])
  expect(violations).toEqual([])
}

test('what comes from outside is text wherever it is shown', async ({ browser }) => {
  const { page } = await on.admin.browser(browser)
  const requests: string[] = []
  const violations: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(on.site.url) && !request.url().startsWith('data:')) requests.push(request.url())
  })
  page.on('dialog', (dialog) => {
    violations.push(`a dialogue: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) violations.push(message.text())
  })
  for (const path of [...asked, '/', '/findings', '/estate', '/estate?show=graph', '/executions', '/audit', '/settings?tab=environments', '/overview']) {
    await page.goto(path)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await settled(page)
    await inert(page, requests, violations)
  }
  for (const id of findings) {
    await page.goto(`/findings/${id}`)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await settled(page)
    await inert(page, requests, violations)
  }
  // It is there, as text.
  await page.goto(`/findings/${findings[1]}`)
  await expect(page.getByText('<img src=x onerror="window.__pwned=2">').first()).toBeVisible()
  // And what nobody would see is seen.
  const turned = findings[CORPUS.findIndex((text) => text.includes('\u202e'))]
  await page.goto(`/findings/${turned}`)
  await expect(page.getByText('U+202E').first()).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.getByLabel('Search and commands').last().fill('onerror')
  await expect(page.getByText(/Nothing found|onerror/).last()).toBeVisible()
  await inert(page, requests, violations)
})

test('the page may do nothing but what it is made of', async ({ request }) => {
  const answer = await request.get(`${on.site.url}/`)
  const policy = answer.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(policy).not.toMatch(/https?:/)
})
