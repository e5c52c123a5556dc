import { expect, test } from 'vitest'
import { below, curves, density, equalTails, highestDensity, lnGamma, mean, quantile } from './beta'

test.each([
  [1, 0],
  [2, 0],
  [5, Math.log(24)],
  [0.5, Math.log(Math.sqrt(Math.PI))],
  [1.5, Math.log(Math.sqrt(Math.PI) / 2)],
  // Stirling's series at 1000: (x - 1/2) ln x - x + ln(2 pi) / 2 + 1 / (12 x) - 1 / (360 x^3)
  [1_000, 999.5 * Math.log(1_000) - 1_000 + 0.5 * Math.log(2 * Math.PI) + 1 / 12_000 - 1 / 3.6e11],
])('ln gamma of %d', (x, expected) => {
  expect(lnGamma(x)).toBeCloseTo(expected, 9)
})

test.each([
  [1, 1, 0.3, 1],
  [2, 2, 0.5, 1.5],
  // x^(a-1) (1-x)^(b-1) / B(a, b), by hand: B(2, 5) = 1/30
  [2, 5, 0.2, 30 * 0.2 * 0.8 ** 4],
  // B(1, n) = 1/n
  [1, 12, 0, 12],
  [1, 12, 0.1, 12 * 0.9 ** 11],
])('density of Beta(%d, %d) at %d', (alpha, beta, x, expected) => {
  expect(density({ alpha, beta }, x)).toBeCloseTo(expected, 9)
})

test('the density outside of 0 to 1 is nought, and a pole is infinite', () => {
  expect(density({ alpha: 2, beta: 3 }, -0.1)).toBe(0)
  expect(density({ alpha: 2, beta: 3 }, 1.1)).toBe(0)
  expect(density({ alpha: 0.5, beta: 3 }, 0)).toBe(Infinity)
})

/** For whole parameters: P(X >= a) of the binomial distribution of a + b - 1 tries. */
function binomialTail(a: number, b: number, x: number): number {
  const n = a + b - 1
  let total = 0
  let choose = 1
  for (let k = 0; k <= n; k += 1) {
    if (k >= a) total += choose * x ** k * (1 - x) ** (n - k)
    choose = (choose * (n - k)) / (k + 1)
  }
  return total
}

test.each([
  [1, 1, 0.37], [2, 5, 0.2], [2, 5, 0.9], [3, 40, 0.05], [12, 4, 0.7], [1, 60, 0.05], [20, 20, 0.5],
])('the mass of Beta(%d, %d) below %d is a tail of the binomial', (alpha, beta, x) => {
  expect(below({ alpha, beta }, x)).toBeCloseTo(binomialTail(alpha, beta, x), 11)
})

test('all mass lies between 0 and 1', () => {
  expect(below({ alpha: 3, beta: 4 }, 0)).toBe(0)
  expect(below({ alpha: 3, beta: 4 }, 1)).toBe(1)
})

test('a quantile of Beta(1, n) has a closed form', () => {
  for (const n of [1, 12, 59]) {
    expect(quantile({ alpha: 1, beta: n }, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / n), 12)
  }
})

test('quantiles undo the mass below', () => {
  for (const of of [{ alpha: 1.5, beta: 8 }, { alpha: 2, beta: 10 }, { alpha: 120, beta: 4_000 }]) {
    for (const mass of [0.05, 0.5, 0.95]) expect(below(of, quantile(of, mass))).toBeCloseTo(mass, 10)
  }
})

test('the mean is the share of failures', () => {
  expect(mean({ alpha: 1, beta: 12 })).toBeCloseTo(1 / 13, 15)
})

test('the flat distribution leaves a twentieth on both sides', () => {
  const { low, high } = equalTails({ alpha: 1, beta: 1 }, 0.9)
  expect([low, high].map((end) => end.toFixed(9))).toEqual(['0.050000000', '0.950000000'])
})

test('the shortest interval holds its mass, and no other of that mass is shorter', () => {
  for (const of of [{ alpha: 1.5, beta: 8 }, { alpha: 2, beta: 10 }, { alpha: 30, beta: 5 }, { alpha: 1, beta: 12 }]) {
    const { low, high } = highestDensity(of, 0.9)
    expect(below(of, high) - below(of, low)).toBeCloseTo(0.9, 9)
    const tails = equalTails(of, 0.9)
    expect(high - low).toBeLessThan(tails.high - tails.low + 1e-12)
  }
})

test('the shortest interval of a symmetric density lies in the middle', () => {
  const { low, high } = highestDensity({ alpha: 4, beta: 4 }, 0.9)
  expect(low + high).toBeCloseTo(1, 9)
})

test('where the density only falls the interval begins at nought', () => {
  expect(highestDensity({ alpha: 1, beta: 10 }, 0.9).low).toBe(0)
  expect(highestDensity({ alpha: 10, beta: 1 }, 0.9).high).toBe(1)
})

test('curves cover what they show and nothing infinite', () => {
  const { x, y } = curves([{ alpha: 0.5, beta: 12 }, { alpha: 1, beta: 30 }])
  expect(x[0]).toBe(0)
  expect(x.at(-1)).toBeLessThan(0.6)
  expect(y).toHaveLength(2)
  for (const values of y) {
    expect(values).toHaveLength(x.length)
    expect(values.every(Number.isFinite)).toBe(true)
  }
})
