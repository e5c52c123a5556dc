import type { Page } from '@playwright/test'

/** Waits until nothing is on its way any more, but the stream of events, which never ends. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const coming = document.querySelector('[role="status"][aria-label^="Loading"], .mantine-Loader-root, .mantine-Skeleton-root')
    const state = window as unknown as { __calm?: number }
    if (coming) state.__calm = undefined
    else state.__calm ??= performance.now()
    return !coming && performance.now() - (state.__calm ?? 0) > 250
  })
}
