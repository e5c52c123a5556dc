import { ask, Person } from './people'
import { Site } from './site'

/** A runbook that prints as much as it is told to, for outputs of any size. */
export const PRINTER = `name: print-much
description: Prints lines, to look at long outputs.
category: test
mode: manual
status: active
timeout_seconds: 600
approval_roles: [approver, admin]
environment_vars:
  LINES: "1000"
steps:
  - name: Print
    command: "seq 1 {{ LINES }} | sed 's/$/: the quick brown fox jumps over the lazy dog, again and again/'"
    timeout_seconds: 600
    semantics: read
    action: host.service.status
  - name: Check
    command: "true"
    semantics: read
    action: host.service.status
    stage: verify
`

/** A site at work: the demo's estate, people, a source, runbooks. */
export interface Stage {
  site: Site
  admin: Person
  /** Operator. */
  ada: Person
  /** Approver. */
  grace: Person
  /** Viewer. */
  vic: Person
  /** The key of the source of alerts. */
  source: string
  /** Resources by name. */
  hosts: Record<string, string>
  /** Runbooks by name. */
  runbooks: Record<string, string>
  environment: string
}

/** Starts a site and fills it through the API, as people would. */
export async function stage(flags: string[] = []): Promise<Stage> {
  const site = await Site.start(flags)
  const admin = await Person.first(site.url, 'admin', site.oneTime)
  const [ada, grace, vic] = [
    await admin.adds('ada', ['operator']),
    await admin.adds('grace', ['approver']),
    await admin.adds('vic', ['viewer']),
  ]
  const estate = await admin.get('/demo-estate')
  const environment = (await admin.post('/environments', estate.environment)).id
  const hosts: Record<string, string> = {}
  for (const host of estate.hosts) {
    const resource = await admin.post('/resources', { ...host.resource, environment_id: environment })
    const secret = { name: `login of ${host.name}`, kind: 'ssh_key', secret: host.login_key }
    const credential = await admin.post('/credentials', secret)
    const connection = await admin.post(`/resources/${resource.id}/connections`, {
      host: host.host, port: host.port, username: host.username, credential_id: credential.id, guard_dir: host.guard_dir,
    })
    await admin.post(`/connections/${connection.id}/host-keys`, { public_key: host.host_key })
    hosts[host.name] = resource.id
  }
  const key = await admin.post('/api-keys', { name: estate.source.name, roles: estate.source.roles })
  await admin.post('/alert-sources', { name: estate.source.name, kind: 'alertmanager', actor_id: key.actor_id })
  for (const rule of estate.alert_rules) await admin.post('/alert-rules', rule)
  const runbooks: Record<string, string> = {}
  for (const { name, yaml } of [...estate.runbooks, { name: 'print-much', yaml: PRINTER }]) {
    runbooks[name] = (await ada.post('/runbooks', { yaml })).id
  }
  return { site, admin, ada, grace, vic, source: key.key, hosts, runbooks, environment }
}

/** An alert that a service is down, as Alertmanager sends it; gives the finding. */
export async function alert(on: Stage, instance: string, labels: Record<string, string> = {}): Promise<string> {
  const all = { alertname: 'ServiceDown', severity: 'critical', supervised: 'true', service: 'shop', instance, ...labels }
  await ask(on.site.url, on.source, 'POST', '/hooks/alertmanager', {
    version: '4', groupKey: '{}', status: 'firing', receiver: 'countersign', groupLabels: {}, commonLabels: {},
    commonAnnotations: {}, externalURL: 'http://alertmanager.example.com',
    alerts: [{
      status: 'firing', labels: all, annotations: { summary: `${all.service} on ${instance} does not answer` },
      startsAt: new Date().toISOString(), endsAt: '0001-01-01T00:00:00Z', generatorURL: '', fingerprint: crypto.randomUUID().slice(0, 16),
    }],
  })
  return on.admin.until('finding', async () => {
    const page = await on.admin.get(`/alerts?sort=-first_seen&limit=20`)
    return page.items.find((one: any) => one.labels.instance === instance && one.alert_name === all.alertname)?.id
  })
}

/** The approval that waits for a finding. */
export function approvalFor(on: Stage, finding: string): Promise<any> {
  return on.admin.until('approval', async () => {
    const executions = await on.admin.get('/executions?limit=50')
    const mine = executions.items.find((one: any) => one.finding_id === finding)
    return mine?.approval_id && on.admin.get(`/approvals/${mine.approval_id}`)
  })
}
