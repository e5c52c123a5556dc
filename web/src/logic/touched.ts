const FINDINGS = ['findings', 'alerts', 'dashboard', 'analytics']
const EXPLAINED = ['cause-analyses', 'correlations', 'recommendations', 'operational-contexts']
const OUTCOME = ['outcomes', 'beliefs', 'autonomy', 'calibration', 'decisions', 'dashboard']

/**
 * Which collections of the API an audited event changes, by the type of what it is about. What is
 * not listed here changes the collection of its own name.
 */
const MORE: Record<string, string[]> = {
  alert: FINDINGS,
  finding: [...FINDINGS, ...EXPLAINED, 'drift-metrics', 'exceptions'],
  actor: ['service-accounts', 'users'],
  archive: ['archives', 'retention'],
  audit_log: ['audit'],
  retention: ['retention', 'archives'],
  legal_hold: ['legal-holds', 'retention'],
  key_rotation: ['key-rotations', 'tenant-keys'],
  tenant_key: ['tenant-keys', 'key-rotations'],
  drift: ['findings', 'drift-scans', 'drift-metrics', 'dashboard', 'analytics'],
  drift_day: ['drift-metrics', 'analytics', 'dashboard'],
  drift_scan: [
    ...FINDINGS, ...EXPLAINED, 'drift-scans', 'drift-metrics', 'iac-resources', 'iac-repositories', 'remediations',
  ],
  iac_repository: ['iac-repositories', 'iac-resources'],
  iac_resource: ['iac-resources', 'findings'],
  cause_analysis: ['cause-analyses'],
  recommendation: ['recommendations', 'dashboard'],
  change_event: ['change-events', 'correlations'],
  correlation: ['correlations'],
  approval: ['approvals', 'plans', 'executions', 'intents', 'dashboard', 'exceptions'],
  plan: ['plans', 'approvals', 'intents'],
  intent: ['intents', 'plans', 'approvals', 'decisions', 'executions', 'dashboard', 'usage'],
  decision: ['decisions', 'intents', 'plans', 'dashboard'],
  execution: [
    'executions', 'intents', 'plans', 'approvals', 'dashboard', 'remediations', 'circuit-breakers', 'decisions',
  ],
  outcome: OUTCOME,
  exception: ['exceptions', 'findings', 'dashboard', 'approvals'],
  breaker: ['circuit-breakers', 'dashboard'],
  rate_limit: ['rate-limits', 'usage'],
  resource: ['resources', 'resource-edges', 'connections'],
  resource_edge: ['resource-edges', 'resources'],
  connection: ['connections', 'resources'],
  credential: ['credentials', 'connections'],
  policy_bundle: ['policies', 'autonomy'],
  policy: ['policies', 'autonomy'],
  step_up_policy: ['step-up-policy'],
  ml_model: ['models', 'model-performance'],
  ml_prediction: ['predictions'],
  model_performance: ['model-performance'],
  tenant: ['tenant'],
  user: ['users', 'account', 'sessions'],
  session: ['sessions', 'account'],
  oidc_provider: ['oidc-providers', 'auth'],
  invitation: ['invitations', 'users'],
  api_key: ['api-keys', 'account', 'service-accounts'],
  remediation: ['remediations', 'findings', 'executions'],
  channel: ['notification-channels'],
  break_glass: ['break-glass', 'approvals'],
  // A refusal, and the key of the deployment, stand in the log alone.
  permission: [],
  deployment_key: [],
}

/** What an event changes beyond what it is about, by the noun of what happened. */
const ALSO: Record<string, string[]> = {
  // The log names the source that sent them; what they made is findings.
  alerts: [...FINDINGS, 'quarantined-alerts', 'correlations'],
  // The log names the intent it is the outcome of.
  outcome: OUTCOME,
  drift_scan: MORE.drift_scan ?? [],
}

/** What these are about stays as it is: only this changes. There are many in each execution. */
const ONLY: Record<string, string[]> = { step: ['executions'], evidence: ['executions'] }

/**
 * The collections of the API, as in `/api/v1/<collection>`, that an event changes: by the type of
 * what it is about, and by what happened (`outcome.recorded`).
 */
export function touchedBy(type: string, event = ''): string[] {
  const noun = event.split('.')[0] ?? ''
  const only = own(ONLY, noun)
  if (only) return only
  return [...new Set([...(own(MORE, type) ?? [plural(type.replaceAll('_', '-'))]), ...(own(ALSO, noun) ?? [])])]
}

const own = (map: Record<string, string[]>, word: string) => (Object.hasOwn(map, word) ? map[word] : undefined)

function plural(word: string): string {
  if (word.endsWith('y') && !/[aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return word.endsWith('s') ? word : `${word}s`
}

/** What happened, as far as it says which queries it changes. */
interface Happened {
  event: string
  data: { target: { type: string; id: string } }
}

/** What events since the last look changed. */
export class Touched {
  private readonly collections = new Set<string>()
  private readonly subjects = new Set<string>()
  private everything = false

  add({ event, data: { target } }: Happened) {
    for (const collection of touchedBy(target.type, event)) this.collections.add(collection)
    this.subjects.add(`${target.type} ${target.id}`)
  }

  /** Nobody knows what changed. */
  all() {
    this.everything = true
  }

  /** Whether what is kept under this key may have changed: its path first, then what is asked of it. */
  has(key: readonly unknown[]): boolean {
    const [path, asked] = key
    if (typeof path !== 'string' || !path.startsWith('/api/v1/')) return false
    if (this.everything || this.collections.has(path.split('/')[3] ?? '')) return true
    // The log of one thing; the whole log does not move under whoever reads it.
    return path === '/api/v1/audit/events' && this.subjects.has(subject(asked))
  }
}

function subject(asked: unknown): string {
  const query = (asked as { params?: { query?: { target_type?: string; target_id?: string } } } | null)?.params?.query
  return `${query?.target_type ?? ''} ${query?.target_id ?? ''}`
}
