import { test, type Browser } from '@playwright/test'

/** A figure a test measured. */
export interface Figure {
  /** What was measured, in few words. */
  what: string
  /** The number with its unit. */
  measured: string
  /** How it was measured. */
  how: string
  /** What it should be, and whether it is. */
  goal?: { says: string; met: boolean }
  /** The browser's version. */
  browser: string
}

/** The annotation that carries a figure to the report. */
export const FIGURE = 'figure'

/** Tells a figure: on the screen, and in the report where one is written. */
export function tell(browser: Browser, figure: Omit<Figure, 'browser'>): void {
  console.log(`${figure.what}: ${figure.measured}`)
  const whole: Figure = { ...figure, browser: browser.version() }
  test.info().annotations.push({ type: FIGURE, description: JSON.stringify(whole) })
}
