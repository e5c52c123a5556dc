import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Browser } from '@playwright/test'
import { settled } from './settled'
import { alert, approvalFor, stage, type Stage } from './stage'

let on: Stage
let paths: Record<string, string> = {}

test.describe.configure({ timeout: 900_000 })
// Traces of so many views take longer than the views.
test.use({ trace: 'off' })
test.beforeAll(async () => {
  on = await stage()
  // One that ran, one that waits.
  const done = await alert(on, 'web-1')
  const first = await approvalFor(on, done)
  await on.grace.post(`/approvals/${first.id}/approve`, { note: 'the shop is down' })
  const execution = await on.admin.until('completed execution', async () => {
    const page = await on.admin.get('/executions?state=completed&limit=5')
    return page.items[0]
  })
  const open = await alert(on, 'web-2')
  const waiting = await approvalFor(on, open)
  const drift = await drifted()
  await on.admin.post('/resource-edges', { from_id: on.hosts['web-2'], to_id: on.hosts['web-1'], relation: 'depends_on' })
  await on.admin.post('/resource-edges', { from_id: on.hosts['web-3'], to_id: on.hosts['web-2'], relation: 'depends_on' })
  const events = await on.admin.get('/audit/events?limit=20')
  paths = {
    inbox: '/',
    welcome: '/welcome',
    findings: '/findings',
    finding: `/findings/${open}`,
    drift: `/findings/${drift}`,
    estate: '/estate',
    graph: '/estate?show=graph',
    resource: `/estate/${on.hosts['web-1']}`,
    runbooks: '/runbooks',
    runbook: `/runbooks/${on.runbooks['restart-supervised-service']}`,
    editor: `/runbooks/${on.runbooks['restart-supervised-service']}?tab=document`,
    new: '/runbooks/new',
    versions: `/runbooks/${on.runbooks['restart-supervised-service']}?tab=versions`,
    tryout: `/runbooks/${on.runbooks['restart-supervised-service']}?tab=dry-run`,
    triggers: `/runbooks/${on.runbooks['restart-supervised-service']}?tab=triggers`,
    run: `/runbooks/${on.runbooks['restart-supervised-service']}?tab=run`,
    approval: `/approvals/${waiting.id}`,
    plan: `/plans/${first.plan_id}`,
    executions: '/executions',
    execution: `/executions/${execution.id}`,
    risk: '/risk',
    calibration: '/risk?tab=calibration',
    outcomes: '/risk?tab=outcomes',
    decisions: '/risk?tab=decisions',
    decision: `/decisions/${execution.decision_id}`,
    audit: '/audit',
    event: `/audit/${events.items[3].id}`,
    policies: '/governance?tab=policies',
    windows: '/governance?tab=windows',
    limits: '/governance?tab=limits',
    breakers: '/governance?tab=breakers',
    exceptions: '/governance?tab=exceptions',
    authority: '/governance?tab=authority',
    account: '/settings?tab=account',
    users: '/settings?tab=users',
    keys: '/settings?tab=keys',
    oidc: '/settings?tab=oidc',
    environments: '/settings?tab=environments',
    connections: '/settings?tab=connections',
    credentials: '/settings?tab=credentials',
    sources: '/settings?tab=sources',
    channels: '/settings?tab=channels',
    retention: '/settings?tab=retention',
    tenant: '/settings?tab=tenant',
    overview: '/overview',
    invitation: '/invitation',
  }
})
test.afterAll(() => on.site.end())

/** A finding of drift, told as a reporter would. */
async function drifted(): Promise<string> {
  const made = await on.admin.post('/findings', {
    kind: 'drift', severity: 'critical', title: 'aws_security_group.web: 2 properties differ', reason: 'what is there is not what is declared',
    fingerprint: 'look-drift', environment_id: on.environment,
    drift: {
      drift_type: 'modified',
      changes: [
        { property_path: 'ingress[0].cidr_blocks', change_type: 'modified', declared_value: ['10.0.0.0/8'], actual_value: ['0.0.0.0/0'], is_security_critical: true },
        { property_path: 'tags.owner', change_type: 'modified', declared_value: 'shop', actual_value: 'nobody' },
      ],
    },
  })
  return made.id
}

const MODES = [
  { scheme: 'light', width: 1440, height: 900 },
  { scheme: 'dark', width: 1440, height: 900 },
  { scheme: 'light', width: 390, height: 844 },
  { scheme: 'dark', width: 390, height: 844 },
] as const

for (const { scheme, width, height } of MODES) {
  test(`every view at ${width} px, ${scheme}: whole, and nothing axe objects to`, async ({ browser }) => {
    const { page } = await open(browser, scheme, width, height)
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`))
    page.on('console', (message) => {
      if (/Content Security Policy|Warning:|unique "key"/i.test(message.text())) faults.push(`${page.url()}: ${message.text()}`)
    })
    for (const [name, path] of Object.entries(paths)) {
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await settled(page)
      if (await page.getByRole('alert').filter({ hasText: /mistake|cannot be reached/ }).count()) faults.push(`${name}: it failed`)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (wide > 0) faults.push(`${name}: ${wide} px wider than the window`)
      const axe = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
      for (const one of axe.violations) {
        faults.push(`${name}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`)
      }
      if (KEPT.has(name)) await page.screenshot({ path: shot(`${name}-${scheme}${width < 500 ? '-phone' : ''}`) })
    }
    expect(faults).toEqual([])
  })
}

/** What the README shows. */
const KEPT = new Set(['inbox', 'finding', 'drift', 'graph', 'editor', 'approval', 'execution', 'risk', 'event', 'windows', 'overview'])

async function open(browser: Browser, scheme: 'light' | 'dark', width: number, height: number) {
  return on.admin.browser(browser, { colorScheme: scheme, viewport: { width, height }, reducedMotion: 'reduce' })
}

const shot = (name: string) => new URL(`../../docs/screenshots/${name}.png`, import.meta.url).pathname
