import { fields, items, number, text, texts } from './json'

/** What a value from outside must look like before it may reach a shell. */
export interface RunbookParam {
  name: string
  pattern: string
  allowsLeadingDash: boolean
  multiline: boolean
}

/** A step of a runbook, with what holds where the document says nothing. Times are seconds. */
export interface RunbookStep {
  name: string
  description: string
  command: string
  undo: string
  stage: string
  action: string
  semantics: string
  condition: string
  exitCodes: number[]
  timeout: number
  goesOn: boolean
  retries: number
  retryDelay: number
  captured: boolean
  sensitive: boolean
  params: RunbookParam[]
  evidence: { type: string; query: string }[]
}

/** What makes an alert ask for a runbook. */
export interface RunbookTrigger {
  name: string
  priority: number
  alertName: string
  severity: string
  source: string
  labels: [string, string][]
  from: string
  until: string
  timezone: string
  enabled: boolean
  cooldown: number
}

/** A runbook's document, with what holds where it says nothing. Times are seconds. */
export interface RunbookDocument {
  name: string
  description: string
  category: string
  mode: string
  status: string
  os: string
  timeout: number
  retries: number
  retryDelay: number
  rate: { count: number; window: number } | undefined
  approval: boolean
  approvers: string[]
  servers: { tags: string[]; groups: string[]; environments: string[]; names: string[] }
  variables: [string, string][]
  targetLabel: string
  parallel: number
  steps: RunbookStep[]
  triggers: RunbookTrigger[]
}

/** The pattern of values for which a step names none: `crates/act/src/runbook.rs`. */
export const PLAIN_WORD = '^[A-Za-z0-9._:@/+-]{1,256}$'

/**
 * A runbook's document as the API gives it: defaults are left out there and filled in here. They
 * are those of `crates/act/src/runbook.rs`.
 */
export function readRunbook(document: unknown): RunbookDocument {
  const given = fields(document)
  const config = fields(given.config)
  const servers = fields(given.allowed_servers)
  const count = number(given.rate_limit_count)
  const window = number(given.rate_limit_window_seconds)
  return {
    name: text(given.name),
    description: text(given.description),
    category: text(given.category),
    mode: text(given.mode) || 'manual',
    status: text(given.status) || 'draft',
    os: text(given.target_os) || 'linux',
    timeout: number(given.timeout_seconds) ?? 300,
    retries: number(given.max_retries) ?? 0,
    retryDelay: number(given.retry_delay_seconds) ?? 60,
    rate: count !== undefined && window !== undefined ? { count, window } : undefined,
    approval: given.requires_approval === true,
    approvers: given.approval_roles === undefined ? ['admin', 'engineer'] : texts(given.approval_roles),
    servers: {
      tags: texts(servers.tags),
      groups: texts(servers.groups),
      environments: texts(servers.environments),
      names: texts(servers.names),
    },
    variables: pairs(given.environment_vars),
    targetLabel: text(config.target_label) || 'instance',
    parallel: number(config.max_parallel) ?? 5,
    steps: items(given.steps).map(readStep),
    triggers: items(given.triggers).map(readTrigger),
  }
}

function readStep(step: unknown): RunbookStep {
  const given = fields(step)
  const codes = items(given.expected_exit_codes).map(number).filter((code) => code !== undefined)
  const stage = text(given.stage) || 'act'
  const evidence = items(given.evidence).map((one) => ({
    type: text(fields(one).type), query: text(fields(one).query),
  }))
  return {
    name: text(given.name),
    description: text(given.description),
    command: text(given.command),
    undo: text(given.rollback_command),
    stage,
    action: text(given.action) || 'host.shell',
    semantics: text(given.semantics) || 'at_most_once',
    condition: text(given.condition),
    exitCodes: codes.length > 0 ? codes : [0],
    timeout: number(given.timeout_seconds) ?? 60,
    goesOn: given.continue_on_failure === true,
    retries: number(given.retry_count) ?? 0,
    retryDelay: number(given.retry_delay_seconds) ?? 5,
    captured: given.capture_output !== false,
    sensitive: given.sensitive === true,
    params: Object.entries(fields(given.params)).map(([name, param]) => ({
      name,
      pattern: text(fields(param).pattern) || PLAIN_WORD,
      allowsLeadingDash: fields(param).allow_leading_dash === true,
      multiline: fields(param).multiline === true,
    })),
    // A step that verifies leaves its output when it asks for nothing else.
    evidence: evidence.length === 0 && stage === 'verify' ? [{ type: 'log', query: 'both' }] : evidence,
  }
}

function readTrigger(trigger: unknown): RunbookTrigger {
  const given = fields(trigger)
  return {
    name: text(given.name),
    priority: number(given.priority) ?? 100,
    alertName: text(given.alert_name_pattern),
    severity: text(given.severity_pattern),
    source: text(given.source_pattern),
    labels: pairs(given.labels_match),
    from: text(given.time_window_start),
    until: text(given.time_window_end),
    timezone: text(given.timezone) || 'UTC',
    enabled: given.enabled !== false,
    cooldown: number(given.cooldown_seconds) ?? 0,
  }
}

/** An object’s fields as pairs of texts, in their order. */
const pairs = (value: unknown): [string, string][] =>
  Object.entries(fields(value)).map(([name, given]) => [name, text(given)])

/** The runbook's variables that a template reads: `{{ SERVICE }}`, `{{ env.SERVICE }}`, `$SERVICE`. */
export function variablesIn(template: string, names: string[]): string[] {
  const inside = [...template.matchAll(/\{\{(.*?)\}\}/gs)].map((found) => found[1] ?? '').join(' ')
  return names.filter((name) => {
    const word = new RegExp(`(?<![\\w.])(?:env\\.)?${name}(?!\\w)`)
    const shell = new RegExp(`\\$(?:${name}(?!\\w)|\\{${name}\\W)`)
    return /^\w+$/.test(name) && (word.test(inside) || shell.test(template))
  })
}

const MODES: Record<string, string> = {
  auto: 'Alerts may ask for it, and it runs as far as the gate allows.',
  semi_auto: 'Alerts may ask for it, and somebody always approves.',
  manual: 'Only a person asks for it; alerts never do.',
}

const STATUSES: Record<string, string> = {
  draft: 'Being written: people may run it, alerts do not.',
  active: 'Alerts that match its triggers ask for it.',
  disabled: 'Nobody may run it, and no alert asks for it.',
}

const SEMANTICS: Record<string, string> = {
  read: 'changes nothing; may run again at any time',
  idempotent: 'running it twice is the same as once',
  at_most_once: 'must never run twice',
}

/** What a mode means. */
export const modeMeans = (mode: string) => MODES[mode] ?? ''

/** What a status means. */
export const statusMeans = (status: string) => STATUSES[status] ?? ''

/** What a crash in the middle of a step allows. */
export const semanticsMean = (semantics: string) => SEMANTICS[semantics] ?? semantics
