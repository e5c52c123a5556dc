import { fields, items, number, text, texts } from './json'
import { count } from './words'

/** A reason somebody gave, and what it alone would have decided. */
export interface Reason {
  judge: string
  code: string
  verdict: string
  message: string
}

/** What one guard said. */
export interface GuardAnswer {
  guard: string
  verdict: string
  code: string
  message: string
  until: string
}

/** Who must approve. The time is in seconds. */
export interface Requirement {
  tier: string
  roles: string[]
  votes: number
  ttl: number
}

/** A host a plan runs on. */
export interface PlanTarget {
  id: string
  name: string
  reached: string
  environment: string
}

/** A command as it runs, and where. */
export interface Rendered {
  targets: string[]
  text: string
}

/** A step of a plan. Times are seconds. */
export interface PlanStep {
  order: number
  name: string
  description: string
  stage: string
  action: string
  semantics: string
  condition: string
  exitCodes: number[]
  timeout: number
  commands: Rendered[]
  undo: Rendered[]
  evidence: { type: string; query: string }[]
}

/** What the gate would say, read from `POST /api/v1/intents/evaluate`. */
export interface Evaluation {
  verdict: string
  reasons: Reason[]
  guards: GuardAnswer[]
  requirement: Requirement | undefined
  tier: string
  score: number | undefined
  /** The 90 % interval of the failure rate. */
  interval: { low: number; high: number } | undefined
  /** Outcomes the estimate stands on. */
  outcomes: number | undefined
  irreversible: boolean
  changes: string[]
  planHash: string
  runbook: { name: string; version: number | undefined }
  targets: PlanTarget[]
  steps: PlanStep[]
  timeout: number | undefined
  parallel: number | undefined
}

/** Reads an evaluation; what is not there is empty. The shapes are those of `gate`, `judge` and `model::plan`. */
export function readEvaluation(value: unknown): Evaluation {
  const given = fields(value)
  const plan = fields(given.plan)
  const assessment = fields(fields(given.risk).assessment)
  const estimate = fields(assessment.estimate)
  const interval = fields(estimate.interval)
  const [low, high] = [number(interval.low), number(interval.high)]
  const targets = items(plan.targets).map(readTarget)
  const names = new Map(targets.map((target) => [target.id, target.name]))
  return {
    verdict: text(given.verdict),
    reasons: items(given.reasons).map(readReason),
    guards: items(given.guards).map(readGuard),
    requirement: readRequirement(given.approval),
    tier: text(assessment.tier),
    score: number(assessment.score),
    interval: low !== undefined && high !== undefined ? { low, high } : undefined,
    outcomes: number(estimate.n),
    irreversible: fields(fields(fields(given.risk).input).blast).irreversible === true,
    changes: items(given.counterfactual).map(changeInWords).filter((change) => change !== ''),
    planHash: text(given.plan_hash),
    runbook: { name: text(fields(plan.runbook).name), version: number(fields(plan.runbook).version) },
    targets,
    steps: items(plan.steps).map((step) => readPlanStep(step, names)),
    timeout: number(plan.timeout_s),
    parallel: number(plan.max_parallel),
  }
}

function readReason(value: unknown): Reason {
  const given = fields(value)
  return {
    judge: text(given.judge), code: text(given.code), verdict: text(given.verdict), message: text(given.message),
  }
}

function readGuard(value: unknown): GuardAnswer {
  const given = fields(value)
  return {
    guard: text(given.guard), verdict: text(given.verdict), code: text(given.code),
    message: text(given.message), until: text(given.until),
  }
}

function readRequirement(value: unknown): Requirement | undefined {
  const given = fields(value)
  const votes = number(given.min_votes)
  if (votes === undefined) return undefined
  return { tier: text(given.tier), roles: texts(given.roles), votes, ttl: number(given.ttl_s) ?? 0 }
}

function readTarget(value: unknown): PlanTarget {
  const given = fields(value)
  const port = text(given.port)
  const reached = `${text(given.username)}@${text(given.host)}${port && port !== '22' ? `:${port}` : ''}`
  return {
    id: text(given.resource_id), name: text(given.name), reached, environment: text(given.environment),
  }
}

function readPlanStep(value: unknown, names: Map<string, string>): PlanStep {
  const given = fields(value)
  return {
    order: number(given.order) ?? 0,
    name: text(given.name),
    description: text(given.description),
    stage: text(given.stage),
    action: text(given.action),
    semantics: text(given.semantics),
    condition: text(given.condition),
    exitCodes: items(given.expected_exit_codes).map(number).filter((code) => code !== undefined),
    timeout: number(given.timeout_s) ?? 0,
    commands: rendered(given.scripts, names),
    undo: rendered(given.undo, names),
    evidence: items(given.evidence).map((one) => ({
      type: text(fields(one).type), query: text(fields(one).query),
    })),
  }
}

/** A script for people: values known only while it runs stand as `<steps.check.stdout>`. */
export function scriptText(script: unknown): string {
  return items(script)
    .map((segment) => {
      const given = fields(segment)
      return given.slot === undefined ? text(given.text) : `<${text(fields(given.slot).name)}>`
    })
    .join('')
}

/** The scripts of a step by the hosts they run on; hosts with the same script stand together. */
export function rendered(scripts: unknown, names: Map<string, string>): Rendered[] {
  const byText = new Map<string, string[]>()
  for (const [id, script] of Object.entries(fields(scripts))) {
    const shown = scriptText(script)
    byText.set(shown, [...(byText.get(shown) ?? []), names.get(id) ?? id])
  }
  return [...byText].map(([shown, targets]) => ({ text: shown, targets }))
}

/** What would have had to differ for `allow`, in words; empty for a change nobody here knows. */
export function changeInWords(value: unknown): string {
  const given = fields(value)
  switch (given.change) {
    case 'environment':
      return `Run it in an environment of the class ${text(given.class)}.`
    case 'fewer_targets':
      return `Run it on at most ${count(number(given.targets) ?? 1, 'host')}.`
    case 'more_successes':
      return `First let ${count(number(given.successes) ?? 1, 'more change')} of this kind succeed, verified.`
    case 'lower_tier':
      return `Use actions of the tier ${text(given.tier)} or below.`
    case 'reversible':
      return 'Make every step that acts reversible: give each a rollback_command.'
    default:
      return ''
  }
}

/** What a verdict means for whoever would ask, in a sentence. */
export function verdictInWords(evaluation: Evaluation): string {
  const { verdict, requirement } = evaluation
  if (verdict === 'allow') return 'It would start at once; nobody else is asked.'
  if (verdict === 'deny') return 'It would be refused. Nothing would run, and the refusal is recorded.'
  if (!requirement) return 'It would wait until somebody approves.'
  const hours = requirement.ttl / 3_600
  const within = hours >= 1 ? count(Math.round(hours), 'hour') : count(Math.round(requirement.ttl / 60), 'minute')
  const roles = requirement.roles.join(' or ')
  const votes = count(requirement.votes, 'approving vote')
  return `It would wait for ${votes} of ${roles || 'somebody'}, for ${within} at most.`
}
