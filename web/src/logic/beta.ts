/**
 * The Beta distribution of a probability of failure, as the risk engine computes it
 * (`crates/judge/src/beta.rs`): `alpha` counts failures, `beta` successes.
 */
export interface Beta {
  alpha: number
  beta: number
}

/** An interval of probabilities. */
export interface Interval {
  low: number
  high: number
}

// Lanczos' approximation with g = 7 and nine terms (Numerical Recipes, 3rd ed., section 6.1 for the method).
const LANCZOS_G = 7
const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_571_6e-6,
  1.505_632_735_149_311_6e-7,
]

/** ln Γ(x) for x > 0. */
export function lnGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x)
  const z = x - 1
  const t = z + LANCZOS_G + 0.5
  const sum = LANCZOS.reduce((total, term, index) => total + (index === 0 ? term : term / (z + index)), 0)
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

const lnBeta = ({ alpha, beta }: Beta) => lnGamma(alpha) + lnGamma(beta) - lnGamma(alpha + beta)

/** The expected probability of failure. */
export const mean = ({ alpha, beta }: Beta) => alpha / (alpha + beta)

/** The density at `x`; `Infinity` at an end where it has a pole. */
export function density(of: Beta, x: number): number {
  if (x < 0 || x > 1) return 0
  // 0 · ln 0 is 0 here: a density with exponent nought is flat at that end.
  const power = (exponent: number, ln: number) => (exponent === 0 ? 0 : exponent * ln)
  return Math.exp(power(of.alpha - 1, Math.log(x)) + power(of.beta - 1, Math.log1p(-x)) - lnBeta(of))
}

const FRACTION_STEPS = 2_000
const TINY = 1e-300
const kept = (value: number) => (Math.abs(value) < TINY ? TINY : value)

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
function fraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / kept(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m <= FRACTION_STEPS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / kept(1 + even * d)
    c = kept(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / kept(1 + odd * d)
    c = kept(1 + odd / c)
    const change = d * c
    value *= change
    if (Math.abs(change - 1) <= Number.EPSILON) break
  }
  return value
}

/** The probability that the probability of failure is at most `x`. */
export function below(of: Beta, x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const { alpha, beta } = of
  const front = Math.exp(alpha * Math.log(x) + beta * Math.log1p(-x) - lnBeta(of))
  // The fraction converges fast on this side of the mean; symmetry covers the other.
  const value =
    x < (alpha + 1) / (alpha + beta + 2)
      ? (front * fraction(alpha, beta, x)) / alpha
      : 1 - (front * fraction(beta, alpha, 1 - x)) / beta
  return Math.min(1, Math.max(0, value))
}

/** Enough halvings for what a screen, and a bound of three places, can tell apart. */
const HALVINGS = 50

/** Where `left` turns from true to false between `low` and `high`. */
function turning(low: number, high: number, left: (x: number) => boolean): number {
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2
    if (left(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** What the probability of failure stays below with probability `mass`. */
export const quantile = (of: Beta, mass: number) => turning(0, 1, (x) => below(of, x) < mass)

/** The interval that leaves the same mass on both sides. */
export const equalTails = (of: Beta, mass: number): Interval => ({
  low: quantile(of, (1 - mass) / 2),
  high: quantile(of, (1 + mass) / 2),
})

/**
 * The shortest interval that holds `mass`, which is the one decisions are made by; one-sided where
 * the density only falls or rises, of equal tails where it has no single peak.
 */
export function highestDensity(of: Beta, mass: number): Interval {
  const { alpha, beta } = of
  if (alpha <= 1 && beta <= 1) return equalTails(of, mass)
  if (alpha <= 1) return { low: 0, high: quantile(of, mass) }
  if (beta <= 1) return { low: quantile(of, 1 - mass), high: 1 }
  const peak = (alpha - 1) / (alpha + beta - 2)
  const opposite = (low: number) => {
    const level = density(of, low)
    return turning(peak, 1, (x) => density(of, x) > level)
  }
  const low = turning(0, peak, (x) => below(of, opposite(x)) - below(of, x) > mass)
  const before = below(of, low)
  return { low, high: turning(low, 1, (x) => below(of, x) - before < mass) }
}

/** Places at which densities are drawn. */
const PLACES = 240

/**
 * Densities over the part of 0 to 1 where any of them has something to show: the places, then the
 * values of each. A pole at an end is drawn as high as its neighbour.
 */
export function curves(all: Beta[]): { x: number[]; y: number[][] } {
  const widest = Math.max(0.05, ...all.map((one) => quantile(one, 0.9995)))
  const end = Math.min(1, Math.ceil(widest * 20) / 20)
  const x = Array.from({ length: PLACES + 1 }, (_, place) => (end * place) / PLACES)
  const inside = (place: number) => Math.min(1 - 1e-6, Math.max(end / PLACES / 2, place))
  const y = all.map((one) =>
    x.map((place) => {
      const value = density(one, place)
      return Number.isFinite(value) ? value : density(one, inside(place))
    }),
  )
  return { x, y }
}
