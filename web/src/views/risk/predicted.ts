import type { Schema } from '../../api/client'
import { get } from '../../api/queries'

/** What was predicted against what verified outcomes showed. */
export type Calibration = Schema<'CalibrationOut'>

/** Decisions whose predicted probability of failure lay in one stretch, and how they went. */
export interface Bin {
  from: number
  to: number
  n: number
  predicted: number
  observed: number
  lower: number
  upper: number
}

/** How well predictions of the last days fit. */
export const calibration = (days: number) => get('/api/v1/calibration', { params: { query: { days } } })

/** The stretches in which there was anything; the others have no figures. */
export function filled(bins: Calibration['bins']): Bin[] {
  return bins.flatMap(({ from, to, n, predicted, observed, lower, upper }) =>
    n > 0 && typeof predicted === 'number' && typeof observed === 'number'
      ? [{ from, to, n, predicted, observed, lower: lower ?? observed, upper: upper ?? observed }] : [])
}
