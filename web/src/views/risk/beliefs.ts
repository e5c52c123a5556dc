import { useQueries, useQuery } from '@tanstack/react-query'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { ARF_1, newest, seen, type Constants, type Evidence, type Outcomes } from '../../logic/autonomy'
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

/** Decisions that are read for what they say of autonomy. */
const READ = 5

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

/** The newest decisions about changes here, of one category or of all, with their records. */
export function useNewest(category: string | undefined, limit = READ) {
  const query = { purpose: ['change'], limit, ...(category ? { category: [category] } : {}) }
  const lines = useQuery(get('/api/v1/decisions', { params: { query } }))
  const ids = lines.data?.items.map((line) => line.id) ?? []
  const details = useQueries({
    queries: ids.map((id) => get('/api/v1/decisions/{id}', { params: { path: { id } } })),
  })
  const found = details.flatMap((detail) => detail.data ?? [])
  return { lines, found, pending: lines.isPending || details.some((detail) => detail.isPending) }
}

/** The constants the newest decision was made with; those that ship where there is none. */
export function useConstants(): Constants {
  const { found } = useNewest(undefined, 1)
  const record = found[0]?.record
  return record ? readRecord(record).constants : ARF_1
}

/** Verified outcomes by action and class of environment, as the newest decisions knew them. */
export function evidenceOf(decisions: Schema<'DecisionOut'>[]): Evidence[] {
  return newest(decisions.map((decision) => readRecord(decision.record).evidence))
}
