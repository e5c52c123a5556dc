import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref } from 'react'
import { fitting, lineAt, LINE_PX, tall, topOf, type Layout } from '../../logic/lineWindow'

/** What can be done with the lines from outside. */
export interface LinesHandle {
  /** Brings a line in sight. */
  show: (line: number) => void
  /** The first line in sight. */
  first: () => number
}

interface Wanted {
  lines: number
  wrap: boolean
  /** Stay at the end while more comes. */
  follow: boolean
  onFollow: (follow: boolean) => void
  ref: Ref<LinesHandle>
}

/**
 * Which lines are in sight of a frame that is scrolled, and keeping it at the end while it follows:
 * following ends when somebody scrolls up, and begins at the end.
 */
export function useLineWindow({ lines, wrap, follow, onFollow, ref }: Wanted) {
  const frame = useRef<HTMLDivElement>(null)
  const rows = useRef<HTMLDivElement>(null)
  /** Where the frame was put by us: scrolling that is not ours is the reader's. */
  const put = useRef(0)
  const [view, setView] = useState(400)
  const [top, setTop] = useState(0)
  const layout: Layout = { lines, view, wrap }

  useEffect(() => {
    if (!frame.current) return
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setView(Math.max(LINE_PX, Math.floor(entry.contentRect.height)))
    })
    watch.observe(frame.current)
    return () => watch.disconnect()
  }, [])

  const place = follow ? Math.max(0, lines - fitting(layout) - 1) : lineAt(layout, top)
  const first = Math.floor(place)
  const until = Math.min(lines, first + fitting(layout) + 2)

  const putAt = (to: number) => {
    if (!frame.current) return
    frame.current.scrollTop = to
    put.current = frame.current.scrollTop
    setTop(frame.current.scrollTop)
  }

  // By how much the first row is above the frame is known only when it is drawn, for it may be wrapped.
  useLayoutEffect(() => {
    if (!rows.current) return
    if (follow) {
      const end = tall(layout) - view
      if (frame.current && Math.abs(frame.current.scrollTop - end) > 1) putAt(end)
      // Without the bar to scroll sideways, where there is one.
      const room = rows.current.parentElement?.clientHeight ?? view
      rows.current.style.transform = `translateY(${Math.min(0, room - rows.current.offsetHeight)}px)`
    } else {
      const height = (rows.current.firstElementChild as HTMLElement | null)?.offsetHeight ?? LINE_PX
      rows.current.style.transform = `translateY(${-(place - first) * height}px)`
    }
  })

  useImperativeHandle(ref, () => ({
    show: (line) => {
      onFollow(false)
      putAt(topOf(layout, Math.max(0, line - Math.floor(fitting(layout) / 3))))
    },
    first: () => first,
  }))

  const scrolled = () => {
    if (!frame.current) return
    const { scrollTop: now, scrollHeight, clientHeight } = frame.current
    const ours = Math.abs(now - put.current) < 2
    const up = now < put.current
    put.current = now
    if (ours) return
    // A frame that became taller is moved by the browser, and is at its end all the same.
    const end = scrollHeight - clientHeight
    const there = now >= end - 2
    if (follow && up && !there) {
      onFollow(false)
      // Wrapped, the end shows fewer lines than lie below the place it is scrolled to.
      if (wrap) return putAt(topOf(layout, firstInSight(rows.current, first)))
    }
    if (!follow && !up && end > 0 && there) onFollow(true)
    setTop(now)
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== 'Home' && event.key !== 'End')) return
    event.preventDefault()
    onFollow(event.key === 'End')
    if (event.key === 'Home') putAt(0)
  }
  return { frame, rows, first, until, view, height: tall(layout), scrolled, pressed }
}

/** The number of the first line whose end is in sight, of rows that begin with `first`. */
function firstInSight(rows: HTMLElement | null, first: number): number {
  const edge = rows?.parentElement?.getBoundingClientRect().top ?? 0
  const at = [...(rows?.children ?? [])].findIndex((row) => row.getBoundingClientRect().bottom > edge)
  return first + Math.max(0, at)
}
