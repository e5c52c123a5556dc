import { quantile, type Beta } from './beta'

/**
 * When a change that needed approval may run without (`crates/judge/src/autonomy.rs`): from verified
 * outcomes alone, for each action in each class of environment by itself.
 */
export interface AutonomyLimits {
  /** Pseudo-counts the bound starts from. */
  priorAlpha: number
  priorBeta: number
  /** Mass below the upper credible bound of the failure rate. */
  boundMass: number
  minSuccesses: number
  /** The bound must not exceed this. */
  maxFailureBound: number
  /** The highest tier that can be earned. */
  maxTier: string
}

/** Numbers of the risk engine that views show and count with. */
export interface Constants {
  name: string
  /** What is believed of a category before any outcome. */
  priors: Record<string, Beta>
  intervalMass: number
  autonomy: AutonomyLimits
}

/** The set that ships, `crates/judge/constants/arf-1.yaml`; a decision's record says which one it was made with. */
export const ARF_1: Constants = {
  name: 'arf-1',
  priors: {
    database: { alpha: 1.5, beta: 8 },
    network: { alpha: 1.2, beta: 10 },
    compute: { alpha: 1, beta: 12 },
    security: { alpha: 2, beta: 10 },
    default: { alpha: 1, beta: 10 },
  },
  intervalMass: 0.9,
  autonomy: {
    priorAlpha: 1, priorBeta: 1, boundMass: 0.95, minSuccesses: 20, maxFailureBound: 0.05, maxTier: 'medium',
  },
}

/** Verified outcomes. */
export interface Outcomes {
  successes: number
  failures: number
}

/** What was seen of a category, from its posterior: what it holds beyond its prior. */
export function seen(posterior: Beta, prior: Beta): Outcomes {
  return {
    successes: Math.max(0, Math.round(posterior.beta - prior.beta)),
    failures: Math.max(0, Math.round(posterior.alpha - prior.alpha)),
  }
}

/** The upper credible bound of the failure rate after these outcomes. */
export function failureBound({ successes, failures }: Outcomes, limits: AutonomyLimits): number {
  return quantile({ alpha: limits.priorAlpha + failures, beta: limits.priorBeta + successes }, limits.boundMass)
}

const MOST = 1_000_000

/** How many verified successes are needed beside so many failures. */
export function successesNeeded(failures: number, limits: AutonomyLimits): number {
  const enough = (successes: number) => failureBound({ successes, failures }, limits) <= limits.maxFailureBound
  let high = Math.max(1, limits.minSuccesses)
  if (enough(high)) return high
  let low = high
  while (!enough(high) && high < MOST) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (enough(middle)) high = middle
    else low = middle
  }
  return high
}

/** How far outcomes are from autonomy. */
export interface Standing extends Outcomes {
  bound: number
  needed: number
  /** Verified successes that are still missing, if no further change fails. */
  missing: number
  earned: boolean
}

/** Where outcomes stand. */
export function standing(outcomes: Outcomes, limits: AutonomyLimits): Standing {
  const needed = successesNeeded(outcomes.failures, limits)
  const missing = Math.max(0, needed - outcomes.successes)
  return { ...outcomes, bound: failureBound(outcomes, limits), needed, missing, earned: missing === 0 }
}

/** Outcomes of one action in one class of environment. */
export interface Evidence extends Outcomes {
  category: string
  environment: string
  action: string
}

/**
 * The newest word on each action in each class, out of several decisions' evidence, newest decision
 * first: a decision says all that was known of its own actions when it was made.
 */
export function newest(decisions: Evidence[][]): Evidence[] {
  const found = new Map<string, Evidence>()
  for (const evidence of decisions) {
    for (const one of evidence) {
      const key = `${one.category} ${one.environment} ${one.action}`
      if (!found.has(key)) found.set(key, one)
    }
  }
  const order = (one: Evidence) => `${one.action} ${one.environment}`
  return [...found.values()].sort((one, other) => order(one).localeCompare(order(other)))
}
