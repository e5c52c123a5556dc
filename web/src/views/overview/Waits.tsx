import { Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Loaded } from '../../parts/State'
import { useDashboard } from './figures'
import classes from './Overview.module.css'

const UNKNOWN = { state: 'needs_human' }
const FAILED = { state: 'rollback_failed' }
const BREAKERS = { tab: 'breakers' }
const EXCEPTIONS = { tab: 'exceptions' }

const words = (count: number, word: string) => (count === 1 ? word : `${word}s`)

/** What waits for people, and where they end it. */
export function Waits() {
  const dashboard = useDashboard()
  return (
    <section aria-label="What waits for people">
      <Title order={2} mb="xs">What waits for people</Title>
      <Loaded query={dashboard} rows={2}>
        {({ waiting }) => {
          const { approvals, needs_human, rollback_failed, open_breakers, pending_exceptions } = waiting
          const lines: [number, string, string, object][] = [
            [approvals, words(approvals, 'approval'), '/', {}],
            [needs_human, `${words(needs_human, 'execution')} with an end nobody knows`, '/executions', UNKNOWN],
            [rollback_failed, `${words(rollback_failed, 'way')} back that failed, in 30 days`, '/executions', FAILED],
            [open_breakers, `open ${words(open_breakers, 'breaker')}`, '/governance', BREAKERS],
            [pending_exceptions, `${words(pending_exceptions, 'exception')} to decide`, '/governance', EXCEPTIONS],
          ]
          return (
            <ul className={classes.tiles}>
              {lines.map(([count, what, to, search]) => (
                <li key={what} className={classes.tile} data-small data-none={count === 0 || undefined}>
                  <Link to={to} search={search as never} className={classes.over}>
                    <span className={classes.number}>{count.toLocaleString('en')}</span>
                    <span className={classes.word}>{what}</span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }}
      </Loaded>
    </section>
  )
}
