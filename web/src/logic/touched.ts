/**
 * Which collections of the API an audited event changes, by the type of what it is about. What is
 * not listed here changes the collection of its own name.
 */
const MORE: Record<string, string[]> = {
  alert: ['alerts', 'findings', 'dashboard'],
  finding: ['findings', 'alerts', 'dashboard', 'analytics', 'drift-metrics', 'cause-analyses', 'correlations', 'recommendations'],
  actor: ['service-accounts', 'users'],
  retention: ['retention', 'archives'],
  key_rotation: ['key-rotations', 'tenant-keys'],
  drift: ['findings', 'drift-scans', 'drift-metrics', 'dashboard', 'analytics'],
  drift_scan: ['drift-scans', 'findings', 'dashboard', 'analytics', 'drift-metrics', 'iac-resources', 'iac-repositories'],
  approval: ['approvals', 'plans', 'executions', 'intents', 'dashboard', 'exceptions'],
  plan: ['plans', 'approvals', 'intents'],
  intent: ['intents', 'plans', 'approvals', 'decisions', 'executions', 'dashboard'],
  decision: ['decisions', 'intents', 'plans', 'dashboard'],
  execution: ['executions', 'plans', 'approvals', 'dashboard', 'beliefs', 'remediations', 'circuit-breakers', 'decisions'],
  step_run: ['executions'],
  outcome: ['outcomes', 'beliefs', 'decisions', 'dashboard', 'calibration'],
  belief: ['beliefs'],
  exception: ['exceptions', 'findings', 'dashboard', 'approvals'],
  circuit_breaker: ['circuit-breakers', 'dashboard'],
  breaker: ['circuit-breakers', 'dashboard'],
  runbook: ['runbooks'],
  resource: ['resources', 'resource-edges', 'connections'],
  connection: ['connections', 'resources'],
  policy_bundle: ['policies'],
  policy: ['policies'],
  user: ['users', 'account'],
  session: ['account', 'sessions'],
  api_key: ['api-keys', 'service-accounts'],
  api_keys: ['api-keys'],
  remediation: ['remediations', 'findings', 'executions'],
  notification: ['notifications'],
  break_glass: ['break-glass'],
}

/** The collections of the API, as in `/api/v1/<collection>`, that an event of this type changes. */
export function touchedBy(type: string): string[] {
  const more = MORE[type]
  const own = plural(type.replaceAll('_', '-'))
  return more ? (more.includes(own) ? more : [own, ...more]) : [own, type.replaceAll('_', '-')]
}

function plural(word: string): string {
  if (word.endsWith('y') && !/[aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return word.endsWith('s') ? word : `${word}s`
}
