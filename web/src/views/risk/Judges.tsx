import { Stack, Text } from '@mantine/core'
import type { Guard, Reason } from '../../logic/decision'
import { words } from '../../logic/words'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { When } from '../../parts/When'
import { Fold } from './Fold'

const WEIGHT: Record<string, number> = { deny: 0, require_approval: 1, allow: 2 }
const weight = (verdict: string) => WEIGHT[verdict] ?? 0

/** Why it was decided as it was: what decides first, what merely explains below. */
export function Reasons({ reasons, verdict }: { reasons: Reason[]; verdict: string }) {
  // Guards stand by themselves, with those that had nothing to say.
  const spoken = reasons.filter((reason) => reason.judge !== 'guard')
  const heavy = spoken.filter((reason) => weight(reason.verdict) <= weight(verdict))
  const light = spoken.filter((reason) => weight(reason.verdict) > weight(verdict))
  const sorted = [...heavy].sort((one, other) => weight(one.verdict) - weight(other.verdict))
  if (spoken.length === 0) return <Text size="sm" className="faint">Nobody gave a reason beside the guards.</Text>
  return (
    <Stack gap="xs">
      <ReasonTable reasons={sorted} label="What brought the verdict about" />
      {light.length > 0 && (
        <Fold title={`${light.length} more that would have been milder`}>
          <ReasonTable reasons={light} label="What would have been milder" />
        </Fold>
      )}
    </Stack>
  )
}

const reasonColumns: PlainColumn<Reason>[] = [
  { name: 'Who', cell: (reason) => words(reason.judge) },
  { name: 'Says', cell: (reason) => <Status of={reason.verdict} /> },
  {
    name: 'Why',
    cell: (reason) => (
      <><Outside>{reason.message}</Outside> <Text span size="xs" className="faint mono">{reason.code}</Text></>
    ),
  },
]

function ReasonTable({ reasons, label }: { reasons: Reason[]; label: string }) {
  const rows = reasons.map((reason, index) => ({ ...reason, key: String(index) }))
  return <PlainTable label={label} columns={reasonColumns} rows={rows} id={(row) => row.key} />
}

const GUARDS: Record<string, string> = {
  blackout: 'Blackout and maintenance windows',
  rate_limit: 'Rate limits',
  cooldown: 'Cooldowns',
  circuit_breaker: 'Circuit breakers',
  max_targets: 'Number of targets',
  freshness: 'Age of what is known',
}

const guardColumns: PlainColumn<Guard>[] = [
  { name: 'Guard', cell: (guard) => GUARDS[guard.guard] ?? words(guard.guard) },
  { name: 'Says', cell: (guard) => <Status of={guard.verdict} /> },
  {
    name: 'Why',
    cell: (guard) => (
      <>
        {guard.message ? <Outside>{guard.message}</Outside> : <span className="faint">nothing against it</span>}
        {guard.until && <> until <When at={guard.until} /></>}
      </>
    ),
  },
]

/** What every guard said: those that stop it in full, the others on request. */
export function Guards({ guards }: { guards: Guard[] }) {
  const against = guards.filter((guard) => guard.verdict !== 'allow')
  const silent = guards.filter((guard) => guard.verdict === 'allow')
  const table = (some: Guard[], label: string) => (
    <PlainTable label={label} columns={guardColumns} rows={some} id={(guard) => guard.guard} />
  )
  if (guards.length === 0) return <Text size="sm" className="faint">No guard was asked.</Text>
  return (
    <Stack gap="xs">
      <Text size="sm">
        {against.length === 0
          ? `All ${silent.length} guards let it pass. They are asked again at the start.`
          : `${against.length} of ${guards.length} guards stop it.`}
      </Text>
      {against.length > 0 && table(against, 'Guards that stop it')}
      {silent.length > 0 && <Fold title="The guards that let it pass">{table(silent, 'Guards that let it pass')}</Fold>}
    </Stack>
  )
}
