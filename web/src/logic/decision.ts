import type { Constants } from './autonomy'
import { ARF_1 } from './autonomy'
import type { Beta } from './beta'
import { fields, items, maybe, number, text, texts, type Fields } from './json'

/** Why, by one of those who have a say. */
export interface Reason {
  /** `policy`, `guard`, `risk`, `runbook` or `autonomy`. */
  judge: string
  code: string
  verdict: string
  message: string
}

/** What one guard said. */
export interface Guard {
  guard: string
  verdict: string
  code: string
  message: string
  /** When it would allow, if time alone brings that about. */
  until: string | undefined
}

/** What a score is made of; decimals as they are given, so that nothing is rounded. */
export interface Components {
  posterior: string
  memorySuccessRate: string | undefined
  memoryWeight: string | undefined
  mean: string
  contextFactor: string
  cut: string
  score: string
  terms: { posterior: string; memory: string; context: string }
}

/** A similar change of the past. */
export interface Remembered {
  intentId: string
  similarity: string
  outcome: string
}

/** What the action table said about an action of the plan. */
export interface Action {
  action: string
  tier: string
  category: string
  kind: string
  irreversible: boolean
  known: boolean
}

/** The signed record, as far as views show it (`crates/server/src/cycle/record.rs`). */
export interface DecisionRecord {
  requester: { id: string; type: string; name: string }
  trigger: string
  decidedAt: string | undefined
  policyBundleHash: string
  planHash: string | undefined
  ttlS: number | undefined
  constraints: Fields
  model: string
  tier: string
  /** What each side of the intent asks for. */
  tiers: { side: string; tier: string }[]
  /** The belief it stands on. */
  belief: (Beta & { n: number }) | undefined
  variance: string | undefined
  interval: { low: string; high: string } | undefined
  losses: { approve: string; deny: string; escalate: string } | undefined
  psi: string | undefined
  riskVerdict: string
  category: string
  actions: Action[]
  inputs: { impact: string; opportunity: string; predictive: string }
  environments: string[]
  runbook: string | undefined
  constants: Constants
  autonomy: { earned: boolean; successes: number; failures: number; failureBound: number } | undefined
}

/** Reads reasons. */
export const readReasons = (value: unknown): Reason[] =>
  items(value).map((one) => {
    const { judge, code, verdict, message } = fields(one)
    return { judge: text(judge), code: text(code), verdict: text(verdict), message: text(message) }
  })

/** Reads the guards' answers. */
export const readGuards = (value: unknown): Guard[] =>
  items(value).map((one) => {
    const { guard, verdict, code, message, until } = fields(one)
    return { guard: text(guard), verdict: text(verdict), code: text(code), message: text(message), until: maybe(until) }
  })

/** Reads the parts of a score; `undefined` where the model gave none. */
export function readComponents(value: unknown): Components | undefined {
  const one = fields(value)
  const terms = fields(one.terms)
  if (maybe(one.score) === undefined) return undefined
  return {
    posterior: text(one.posterior),
    memorySuccessRate: maybe(one.memory_success_rate),
    memoryWeight: maybe(one.memory_weight),
    mean: text(one.mean),
    contextFactor: text(one.context_factor),
    cut: text(one.cut),
    score: text(one.score),
    terms: { posterior: text(terms.posterior), memory: text(terms.memory), context: text(terms.context) },
  }
}

/** Reads remembered changes. */
export const readMemory = (value: unknown): Remembered[] =>
  items(value).map((one) => {
    const { intent_id, similarity, outcome } = fields(one)
    return { intentId: text(intent_id), similarity: text(similarity), outcome: text(outcome) }
  })

/** What would have had to differ, as sentences (`crates/judge/src/counterfactual.rs`). */
export function readCounterfactual(value: unknown): string[] {
  return items(value).flatMap((one) => {
    const { change, ...of } = fields(one)
    switch (change) {
      case 'environment': return [`It ran in an environment of class ${text(of.class)}.`]
      case 'fewer_targets': {
        const targets = number(of.targets) ?? 0
        return [`It touched at most ${targets} ${targets === 1 ? 'target' : 'targets'}.`]
      }
      case 'more_successes': {
        const more = number(of.successes) ?? 0
        return [`${more} more ${more === 1 ? 'change' : 'changes'} of this kind had succeeded before, verified.`]
      }
      case 'lower_tier': return [`Its actions were of tier ${text(of.tier)} at most.`]
      case 'reversible': return ['Every step of it could be undone.']
      default: return maybe(change) ? [`${text(change).replaceAll('_', ' ')}: ${JSON.stringify(of)}`] : []
    }
  })
}

function readBeta(value: unknown): Beta | undefined {
  const { alpha, beta } = fields(value)
  const [failures, successes] = [number(alpha), number(beta)]
  return failures === undefined || successes === undefined ? undefined : { alpha: failures, beta: successes }
}

/** The constants a decision was made with; what it does not say is as shipped. */
export function readConstants(value: unknown): Constants {
  const one = fields(value)
  const priors = Object.entries(fields(one.priors)).flatMap(([category, prior]) => {
    const read = readBeta(prior)
    return read ? [[category, read] as const] : []
  })
  return {
    name: maybe(one.name) ?? ARF_1.name,
    priors: { ...ARF_1.priors, ...Object.fromEntries(priors) },
    intervalMass: number(one.interval_mass) ?? ARF_1.intervalMass,
  }
}

const readActions = (value: unknown): Action[] =>
  items(value).map((one) => {
    const { action, tier, category, kind, irreversible, known } = fields(one)
    return {
      action: text(action), tier: text(tier), category: text(category), kind: text(kind),
      irreversible: irreversible === true, known: known !== false,
    }
  })

function readAutonomy(value: unknown): DecisionRecord['autonomy'] {
  const { earned, successes, failures, failure_bound } = fields(value)
  if (typeof earned !== 'boolean') return undefined
  return {
    earned,
    successes: number(successes) ?? 0,
    failures: number(failures) ?? 0,
    failureBound: number(failure_bound) ?? 1,
  }
}

/** Reads a signed record. */
export function readRecord(value: unknown): DecisionRecord {
  const record = fields(value)
  const risk = fields(record.risk)
  const [input, assessment] = [fields(risk.input), fields(risk.assessment)]
  const estimate = fields(assessment.estimate)
  const [interval, losses] = [fields(estimate.interval), fields(assessment.losses)]
  const belief = readBeta(estimate)
  const question = fields(fields(record.inputs).question)
  const requester = fields(record.requester)
  return {
    requester: { id: text(requester.id), type: text(requester.type), name: text(requester.display_name) },
    trigger: text(record.trigger),
    decidedAt: maybe(record.decided_at),
    policyBundleHash: text(record.policy_bundle_hash),
    planHash: maybe(record.plan_hash),
    ttlS: number(record.ttl_s),
    constraints: fields(record.constraints),
    model: text(assessment.model),
    tier: text(assessment.tier),
    tiers: Object.entries(fields(assessment.tiers)).map(([side, tier]) => ({ side, tier: text(tier) })),
    belief: belief && { ...belief, n: number(estimate.n) ?? 0 },
    variance: maybe(estimate.variance),
    interval: maybe(interval.low) ? { low: text(interval.low), high: text(interval.high) } : undefined,
    losses: maybe(losses.approve)
      ? { approve: text(losses.approve), deny: text(losses.deny), escalate: text(losses.escalate) } : undefined,
    psi: maybe(assessment.psi),
    riskVerdict: text(assessment.verdict),
    category: text(input.category),
    actions: readActions(input.actions),
    inputs: { impact: text(input.impact), opportunity: text(input.opportunity), predictive: text(input.predictive) },
    environments: texts(question.environments),
    runbook: maybe(question.runbook),
    constants: readConstants(input.constants),
    autonomy: readAutonomy(record.autonomy),
  }
}

/** A decimal for the eye: at most so many places, without noughts at its end; the exact one stands beside it. */
export function rounded(decimal: string, places = 4): string {
  const value = number(decimal)
  if (value === undefined) return decimal
  const short = value.toFixed(places)
  return short.includes('.') ? short.replace(/\.?0+$/, '') : short
}

/** A probability as a percentage. */
export const percent = (value: number, places = 1) => `${(value * 100).toFixed(places).replace(/\.0+$/, '')} %`
