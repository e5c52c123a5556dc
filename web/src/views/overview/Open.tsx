import { Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { openBySeverity } from '../../logic/overview'
import { severityColor } from '../../logic/severities'
import { Loaded } from '../../parts/State'
import { useDashboard } from './figures'
import classes from './Overview.module.css'

/** Open findings by severity, as large as they can be. */
export function Open() {
  const dashboard = useDashboard()
  return (
    <section aria-label="Open findings">
      <Title order={2} mb="xs">Open findings</Title>
      <Loaded query={dashboard} rows={3}>
        {({ open_findings }) => (
          <ul className={classes.tiles}>
            {openBySeverity(open_findings).map(({ severity, count, kinds }) => (
              <li
                key={severity} className={classes.tile} data-none={count === 0 || undefined}
                style={{ borderTopColor: severityColor[severity] }}
              >
                <Link to="/findings" search={{ status: 'open', severity } as never} className={classes.over}>
                  <span className={classes.word}>{severity}</span>
                  <span className={classes.number}>{count.toLocaleString('en')}</span>
                </Link>
                <Text size="sm" className="faint">
                  {kinds.map((one) => `${one.count.toLocaleString('en')} ${one.kind}`).join(', ') || 'none'}
                </Text>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  )
}
