import { useQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { ARF_1, seen, type Constants, type Outcomes } from '../../logic/autonomy'
import { highestDensity, mean, type Beta, type Interval } from '../../logic/beta'
import { readRecord } from '../../logic/decision'

/** What is believed of a category. */
export interface Belief {
  category: string
  posterior: Beta
  prior: Beta
  /** Verified outcomes learned from; with none the prior speaks. */
  n: number
  mean: number
  interval: Interval
  /** What was seen here. */
  outcomes: Outcomes
  reported: Outcomes
  updatedAt: string | undefined
}

/** Beliefs of all categories there are, those without an outcome with their prior. */
export function beliefs(learned: Schema<'BeliefOut'>[], constants: Constants): Belief[] {
  const flat = constants.priors.default ?? { alpha: 1, beta: 1 }
  const categories = [...new Set([...Object.keys(constants.priors), ...learned.map((one) => one.category)])]
  return categories.map((category) => {
    const known = learned.find((one) => one.category === category)
    const prior = constants.priors[category] ?? flat
    const posterior = known ? { alpha: known.alpha, beta: known.beta } : prior
    return {
      category,
      posterior,
      prior,
      n: known?.n ?? 0,
      mean: mean(posterior),
      interval: highestDensity(posterior, constants.intervalMass),
      outcomes: seen(posterior, prior),
      reported: { successes: known?.reported_successes ?? 0, failures: known?.reported_failures ?? 0 },
      updatedAt: known?.updated_at,
    }
  })
}

/** The constants the newest decision about a change was made with; those that ship where there is none. */
export function useConstants(): Constants {
  const query = { purpose: ['change'], limit: 1 }
  const id = useQuery(get('/api/v1/decisions', { params: { query } })).data?.items[0]?.id
  const newest = useQuery({
    ...get('/api/v1/decisions/{id}', { params: { path: { id: id ?? '' } } }), enabled: id !== undefined,
  })
  return newest.data ? readRecord(newest.data.record).constants : ARF_1
}
