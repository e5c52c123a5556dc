import type { Page } from '@playwright/test'

/** How a page answered to the hand: the longest time from an input to the next paint, in ms. */
export async function watchInputs(page: Page): Promise<() => Promise<{ worst: number; inputs: number }>> {
  await page.evaluate(() => {
    const seen = { worst: 0, inputs: 0 }
    Object.assign(window, { __inputs: seen })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { interactionId?: number })[]) {
        if (!entry.interactionId) continue
        seen.inputs += 1
        seen.worst = Math.max(seen.worst, entry.duration)
      }
    }).observe({ type: 'event', durationThreshold: 16, buffered: false } as PerformanceObserverInit)
  })
  return () => page.evaluate(() => (window as unknown as { __inputs: { worst: number; inputs: number } }).__inputs)
}

/** Collects, from before the page begins, when its long tasks ended and what it fetched. */
export async function watchLoad(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const long: number[] = []
    Object.assign(window, { __long: long })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) long.push(entry.startTime + entry.duration)
    }).observe({ type: 'longtask', buffered: true })
  })
}
