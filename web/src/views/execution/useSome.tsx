import { Button } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { count } from '../../logic/words'

/** Rows drawn before somebody asks for more, and how many more each time. */
const FIRST = 200
const NEXT = 1_000

/** The first of many rows, and the button that shows more of them; `what` is one of them, in a word. */
export function useSome<Row>(rows: readonly Row[], what: string): { shown: Row[]; more: ReactNode } {
  const [most, setMost] = useState(FIRST)
  const left = rows.length - most
  const more = left > 0 && (
    <Button size="compact-sm" variant="default" mt="xs" onClick={() => setMost(most + NEXT)}>
      Show {left > NEXT ? `${NEXT.toLocaleString('en')} more of ${count(left, what)} left` : count(left, `more ${what}`)}
    </Button>
  )
  return { shown: rows.slice(0, most), more }
}
