import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Touched, touchedBy } from './touched'

const api = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as { paths: object }
const COLLECTIONS = new Set(Object.keys(api.paths).map((path) => path.split('/')[3]))

// Every type of subject the server writes audit events about.
const WRITTEN = [
  'actor', 'alert_rule', 'alert_source', 'api_key', 'approval', 'archive', 'audit_log', 'blackout_window',
  'break_glass', 'breaker', 'cause_analysis', 'change_event', 'channel', 'chat_session', 'connection', 'correlation',
  'cost', 'credential', 'decision', 'drift_day', 'drift_ignore_rule', 'drift_scan', 'environment', 'exception',
  'execution', 'finding', 'iac_repository', 'iac_resource', 'intent', 'invitation', 'key_rotation', 'legal_hold',
  'llm_provider', 'ml_model', 'ml_prediction', 'model_performance', 'notification', 'oidc_provider',
  'one_time_secret', 'operational_context', 'plan', 'policy_bundle', 'provider_policy', 'rate_limit',
  'recommendation', 'remediation', 'resource', 'resource_edge', 'retention', 'runbook', 'schedule', 'service',
  'session', 'setting', 'step_up_policy', 'tenant', 'tenant_key', 'terminal_session', 'user',
]

test.each(WRITTEN)('an event about a %s changes collections that there are', (type) => {
  const touched = touchedBy(type)
  expect(touched).not.toEqual([])
  expect(touched.filter((collection) => !COLLECTIONS.has(collection))).toEqual([])
})

test.each([
  ['approval', 'approvals'],
  ['approval', 'dashboard'],
  ['breaker', 'circuit-breakers'],
  ['policy_bundle', 'policies'],
  ['policy_bundle', 'autonomy'],
  ['outcome', 'autonomy'],
  ['alert_source', 'alert-sources'],
  ['blackout_window', 'blackout-windows'],
  ['retention', 'retention'],
  ['legal_hold', 'legal-holds'],
  ['cause_analysis', 'cause-analyses'],
  ['drift_day', 'drift-metrics'],
  ['channel', 'notification-channels'],
  ['ml_model', 'models'],
  ...['cause-analyses', 'correlations', 'recommendations', 'operational-contexts'].map((one) => ['drift_scan', one]),
])('an event about a %s changes %s', (type, collection) => {
  expect(touchedBy(type)).toContain(collection)
})

test.each([
  ['alerts.received', 'alert_source', ['findings', 'alerts', 'dashboard', 'analytics', 'alert-sources']],
  ['outcome.recorded', 'intent', ['outcomes', 'beliefs', 'calibration', 'intents']],
  ['drift_scan.unreadable', 'execution', ['drift-scans', 'executions']],
])('%s, about a %s, changes %j', (event, type, collections) => {
  expect(touchedBy(type, event)).toEqual(expect.arrayContaining(collections))
})

test('settings of a source change no findings', () => {
  expect(touchedBy('alert_source', 'alert_source.created')).toEqual(['alert-sources'])
})

test('a step changes its execution alone', () => {
  expect(touchedBy('execution', 'step.started')).toEqual(['executions'])
})

test('words of objects are no types', () => {
  expect(touchedBy('constructor', 'toString.x')).toEqual(['constructors'])
})

test('the log of a thing changes with what happens to that thing; the whole log is not moved', () => {
  const touched = new Touched()
  touched.add({ event: 'breaker.opened', data: { target: { type: 'breaker', id: 'brk_1' } } })
  const log = (query: object) => touched.has(['/api/v1/audit/events', { params: { query } }])
  expect(log({ target_type: 'breaker', target_id: 'brk_1', limit: 50 })).toBe(true)
  expect(log({ target_type: 'breaker', target_id: 'brk_2' })).toBe(false)
  expect(touched.has(['/api/v1/audit/events', 'pages', null, 100])).toBe(false)
  expect(touched.has(['/api/v1/circuit-breakers', null])).toBe(true)
  expect(touched.has(['/api/v1/runbooks', null])).toBe(false)
  touched.all()
  expect(touched.has(['/api/v1/runbooks', null])).toBe(true)
  expect(touched.has(['own', null])).toBe(false)
})
