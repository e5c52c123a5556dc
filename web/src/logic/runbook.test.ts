import { expect, test } from 'vitest'
import { PLAIN_WORD, readRunbook, variablesIn } from './runbook'

test('what a document leaves out is what holds by default', () => {
  const runbook = readRunbook({ name: 'a', steps: [{ name: 'Look', command: 'uptime' }] })
  expect(runbook).toMatchObject({
    mode: 'manual', status: 'draft', os: 'linux', timeout: 300, retries: 0, retryDelay: 60, approval: false,
    approvers: ['admin', 'engineer'], targetLabel: 'instance', parallel: 5, rate: undefined, triggers: [],
  })
  expect(runbook.steps[0]).toMatchObject({
    stage: 'act', action: 'host.shell', semantics: 'at_most_once', exitCodes: [0], timeout: 60, captured: true,
    goesOn: false, undo: '', evidence: [],
  })
})

test('what a document says is read', () => {
  const runbook = readRunbook({
    name: 'a',
    rate_limit_count: 6,
    rate_limit_window_seconds: 3600,
    approval_roles: [],
    allowed_servers: { tags: ['web'], names: ['web-*'] },
    environment_vars: { SERVICE: '{{ alert.labels.service }}' },
    config: { target_label: 'host', max_parallel: 2 },
    steps: [
      {
        name: 'Check', command: 'x', stage: 'verify', expected_exit_codes: [0, 3],
        params: { SERVICE: {}, X: { pattern: 'a', multiline: true } },
      },
      { name: 'Log', command: 'x', evidence: [{ type: 'promql', query: 'up' }] },
    ],
    triggers: [
      {
        name: 't', alert_name_pattern: 'A*', labels_match: { job: 'x' }, enabled: false,
        time_window_start: '09:00:00',
      },
    ],
  })
  expect(runbook.rate).toEqual({ count: 6, window: 3600 })
  expect(runbook.approvers).toEqual([])
  expect(runbook.servers).toEqual({ tags: ['web'], groups: [], environments: [], names: ['web-*'] })
  expect(runbook.variables).toEqual([['SERVICE', '{{ alert.labels.service }}']])
  expect(runbook).toMatchObject({ targetLabel: 'host', parallel: 2 })
  expect(runbook.steps[0]?.exitCodes).toEqual([0, 3])
  expect(runbook.steps[0]?.evidence).toEqual([{ type: 'log', query: 'both' }])
  expect(runbook.steps[0]?.params).toEqual([
    { name: 'SERVICE', pattern: PLAIN_WORD, allowsLeadingDash: false, multiline: false },
    { name: 'X', pattern: 'a', allowsLeadingDash: false, multiline: true },
  ])
  expect(runbook.steps[1]?.evidence).toEqual([{ type: 'promql', query: 'up' }])
  expect(runbook.triggers[0]).toMatchObject({
    alertName: 'A*', labels: [['job', 'x']], enabled: false, priority: 100, from: '09:00:00', until: '',
    timezone: 'UTC', cooldown: 0,
  })
})

test.each([
  null, undefined, 4, 'text', [],
  { steps: 'none', triggers: {}, config: [], environment_vars: [1] }, { steps: [null, 7] },
])(
  'nothing breaks on %j', (document) => {
    expect(() => readRunbook(document)).not.toThrow()
  },
)

test.each([
  ['systemctl restart -- {{ SERVICE }}', ['SERVICE']],
  ['x {{ env.SERVICE | lower }} {{ OTHER }}', ['SERVICE', 'OTHER']],
  ['[ "$used" -lt "$OTHER" ]', ['OTHER']],
  ['echo ${SERVICE:-none}', ['SERVICE']],
  ['echo $SERVICES SERVICE {{ SERVICES }} {{ alert.SERVICE }}', []],
])('%s reads %j', (template, read) => {
  expect(variablesIn(template, ['SERVICE', 'OTHER'])).toEqual(read)
})
