import type { Beta } from './beta'
import { count } from './words'

/** Numbers of the risk engine that views show and count with. */
export interface Constants {
  name: string
  /** What is believed of a category before any outcome. */
  priors: Record<string, Beta>
  intervalMass: number
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

/** What running unasked is earned by, as `GET /api/v1/autonomy` tells it. */
export interface Limits {
  min_successes: number
  max_failure_bound: number
  certainty: number
  max_tier: string
}

/** Where a kind of change stands, as `GET /api/v1/autonomy` tells it. */
export interface Earned {
  earned: boolean
  successes: number
  /** Verified successes that are needed; none where no number is enough. */
  needed?: number | null
  tier: string
  limits: Limits
}

/** How far a kind of change is from running unasked, in words. */
export function distance({ earned, successes, needed, tier, limits }: Earned): string {
  if (earned) return 'earned'
  if (typeof needed !== 'number') return `never: tier ${tier}, and ${limits.max_tier} is the highest it is earned for`
  return `${count(Math.max(0, needed - successes), 'more success', 'more successes')} needed`
}

/** What the policy asks for beyond what is asked of every change, in words; nothing where it asks for no more. */
export function beyond(limits: Limits, every: Limits): string | undefined {
  const more = [
    limits.min_successes !== every.min_successes && `at least ${count(limits.min_successes, 'success', 'successes')}`,
    limits.max_failure_bound !== every.max_failure_bound
      && `a failure rate below ${+(limits.max_failure_bound * 100).toFixed(2)} %`,
    limits.max_tier !== every.max_tier && `tier ${limits.max_tier} at most`,
  ].filter((one) => one !== false)
  return more.length > 0 ? more.join(', ') : undefined
}
