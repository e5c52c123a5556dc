import type { Page } from '@playwright/test'

/** How a page answered to the hand, in ms. */
export interface Answered {
  /** Interaction to next paint as it is defined: of every 50 interactions the slowest is left out. */
  inp: number
  worst: number
  /** Interactions that took 16 ms or more. */
  count: number
}

/** Notes from now on how long each interaction takes until the next paint. */
export async function watchInputs(page: Page): Promise<() => Promise<Answered>> {
  await page.evaluate(() => {
    const took = new Map<number, number>()
    Object.assign(window, { __took: took })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { interactionId?: number })[]) {
        const id = entry.interactionId
        if (id) took.set(id, Math.max(took.get(id) ?? 0, entry.duration))
      }
    }).observe({ type: 'event', durationThreshold: 16, buffered: false } as PerformanceObserverInit)
  })
  return () =>
    page.evaluate(() => {
      const all = [...(window as unknown as { __took: Map<number, number> }).__took.values()].sort((a, b) => b - a)
      return { inp: all[Math.floor(all.length / 50)] ?? 0, worst: all[0] ?? 0, count: all.length }
    })
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
