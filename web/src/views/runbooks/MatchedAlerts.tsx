import { Anchor, Button, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { IconCheck, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { closest, firstUnmet, unmetInWords, type TriggerReport } from '../../logic/triggerReport'
import { Severity } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import type { MatchedAlert } from './matching'
import classes from './runbooks.module.css'

/** Alerts with whether each would have asked, and the first thing that stood in the way. */
export function MatchedAlerts({ alerts }: { alerts: MatchedAlert[] }) {
  const [open, setOpen] = useState<string>()
  if (alerts.length === 0) return <Empty title="None is like that" />
  return (
    <PlainTable
      label="Alerts and whether they would have matched"
      rows={alerts}
      id={(alert) => alert.id}
      chosen={open}
      columns={[
        { name: 'Would ask', cell: (alert) => <Holds holds={alert.matched} /> },
        {
          name: 'Alert',
          cell: (alert) => (
            <>
              <Anchor component={Link} to={`/findings/${alert.id}`} size="sm"><Outside>{alert.title}</Outside></Anchor>
              <Group gap={6} mt={2} fz="xs"><Severity of={alert.severity} /><When at={alert.receivedAt} /></Group>
            </>
          ),
        },
        {
          name: 'Why',
          cell: (alert) => (
            <>
              <Why alert={alert} />
              {alert.reports.length > 0 && (
                <Button
                  size="compact-xs" variant="subtle" mt={2} aria-expanded={open === alert.id}
                  aria-label={`Every condition, for ${alert.title}`}
                  onClick={() => setOpen(open === alert.id ? undefined : alert.id)}
                >
                  {open === alert.id ? 'Close' : 'Every condition'}
                </Button>
              )}
              {open === alert.id && alert.reports.map((report, at) => <Conditions key={at} report={report} />)}
            </>
          ),
        },
      ]}
    />
  )
}

function Why({ alert }: { alert: MatchedAlert }) {
  const report = closest(alert.reports)
  if (!report) return <Text size="sm">The document has no trigger.</Text>
  if (alert.matched) return <Text size="sm">Every condition of <Outside>{report.trigger}</Outside> holds.</Text>
  const unmet = firstUnmet(report)
  return (
    <Text size="sm" component="div">
      {unmet ? <Outside>{unmetInWords(unmet)}</Outside> : 'No trigger was chosen.'}
      {alert.reports.length > 1 && <span className="faint"> (<Outside>{report.trigger}</Outside> came closest)</span>}
    </Text>
  )
}

function Conditions({ report }: { report: TriggerReport }) {
  return (
    <>
      <Text size="sm" fw={600} mt={6}><Outside>{report.trigger}</Outside></Text>
      <ul className={classes.conditions} aria-label={`Conditions of ${report.trigger}`}>
        {report.conditions.map((condition, at) => (
          <li key={at}>
            <Holds holds={condition.holds} />
            <span className={classes.condition}>{condition.label}</span>
            <span>
              {condition.wanted && (
                <><span className="faint">wanted</span> <Outside mono>{condition.wanted}</Outside> </>
              )}
              {condition.found && <><span className="faint">found</span> <Outside mono>{condition.found}</Outside></>}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

/** Yes or no, by a sign and a word. */
function Holds({ holds }: { holds: boolean }) {
  return (
    <span className={classes.holds}>
      {holds
        ? <IconCheck size={16} color="var(--mantine-color-green-text)" aria-hidden />
        : <IconX size={16} color="var(--mantine-color-red-text)" aria-hidden />}
      {holds ? 'yes' : 'no'}
    </span>
  )
}
