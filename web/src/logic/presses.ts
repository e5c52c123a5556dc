/** As much of an element as it takes to know what a key means on it. */
interface Place {
  closest(selector: string): unknown
}

const PRESSED =
  'a[href], button, summary, [role="button"], [role="link"], [role="tab"], [role="menuitem"], [role="option"]'

/** Whether a key presses what has the focus, so that it is not the page's: Enter and Space on a button or a link. */
export const presses = (key: string, on: Place | null): boolean =>
  (key === 'Enter' || key === ' ') && (on?.closest(PRESSED) ?? null) !== null
