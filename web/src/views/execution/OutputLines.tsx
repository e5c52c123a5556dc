import { useEffect, type Ref } from 'react'
import type { Standing } from '../../logic/outputParts'
import type { OutputStore } from '../../logic/outputStore'
import { OutputLine } from './OutputLine'
import { useLineWindow, type LinesHandle } from './useLineWindow'
import classes from './Output.module.css'

/** Lines that are read ahead of those in sight. */
const AHEAD = 4_000
const AHEAD_BYTES = 2 << 20

interface OutputLinesProps {
  store: OutputStore
  standing: Standing
  label: string
  wrap: boolean
  codes: boolean
  /** Stay at the end while more comes. */
  follow: boolean
  onFollow: (follow: boolean) => void
  finds: RegExp | undefined
  /** The match the search stands at: its line, and which of the line's it is. */
  here: { line: number; nth: number } | undefined
  ref: Ref<LinesHandle>
}

/** The lines of an output of any length: only those in sight are in the page. */
export function OutputLines({
  store, standing, label, wrap, codes, follow, onFollow, finds, here, ref,
}: OutputLinesProps) {
  const { lines, read } = standing
  const sight = useLineWindow({ lines, wrap, follow, onFollow, ref })
  const { first, until } = sight
  useEffect(() => {
    if (follow) store.want(Infinity)
    else if (until > lines - AHEAD) store.want(read + AHEAD_BYTES)
  }, [store, follow, until, lines, read])

  const digits = String(lines).length
  const numbers = Array.from({ length: Math.max(0, until - first) }, (_, at) => first + at)
  return (
    <div ref={sight.frame} className={classes.frame} onScroll={sight.scrolled}>
      <div style={{ height: sight.height }}>
        <div
          className={classes.window} style={{ height: sight.view }} tabIndex={0} role="log" aria-live="off"
          aria-label={label} onKeyDown={sight.pressed}
        >
          <div ref={sight.rows} className={wrap ? `${classes.rows} ${classes.wrapped}` : classes.rows}>
            {numbers.map((number) => {
              const line = store.line(number)
              return (
                <div key={number} className={classes.row}>
                  <span className={classes.number} aria-hidden style={{ minWidth: `${digits + 2}ch` }}>
                    {number + 1}
                  </span>
                  <span className={classes.text}>
                    {line === undefined ? <span className={classes.dim}>…</span> : (
                      <OutputLine
                        text={line.text} chars={line.chars} look={line.look} codes={codes} finds={finds}
                        here={here?.line === number ? here.nth : undefined}
                      />
                    )}
                  </span>
                </div>
              )
            })}
          </div>
        </div>
      </div>
    </div>
  )
}
