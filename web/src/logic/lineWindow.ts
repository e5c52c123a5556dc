/** Height of a line that is not wrapped, in px. */
export const LINE_PX = 20
/** The tallest element browsers lay out without faults (Firefox gives up near 17.8 million px). */
export const TALLEST_PX = 12_000_000

/** How a list of lines lies in its frame. */
export interface Layout {
  lines: number
  /** Height of the frame, in px. */
  view: number
  /** Lines may be taller than `LINE_PX`. */
  wrap: boolean
}

/** Lines that fit the frame. */
export const fitting = ({ view }: Layout) => Math.ceil(view / LINE_PX)

/** The height of what is scrolled. Wrapped, the last line can be scrolled to the top: what is below it may be long. */
export function tall(layout: Layout): number {
  const { lines, view, wrap } = layout
  const height = Math.min(lines * LINE_PX, TALLEST_PX) + (wrap ? Math.max(0, view - LINE_PX) : 0)
  return Math.max(height, view)
}

/** The last position of the first line: how far one can scroll, in lines. */
function farthest({ lines, view, wrap }: Layout): number {
  return Math.max(0, wrap ? lines - 1 : lines - view / LINE_PX)
}

/** Which line stands at the top of the frame when it is scrolled to `top` px, with its fraction that is above. */
export function lineAt(layout: Layout, top: number): number {
  const most = tall(layout) - layout.view
  if (most <= 0) return 0
  return Math.min(1, Math.max(0, top / most)) * farthest(layout)
}

/** How far to scroll, in px, so that a line stands at the top. */
export function topOf(layout: Layout, line: number): number {
  const far = farthest(layout)
  if (far <= 0) return 0
  return Math.min(1, Math.max(0, line / far)) * (tall(layout) - layout.view)
}
