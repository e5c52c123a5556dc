import { Button, Group, SegmentedControl, Select, Stack, Text } from '@mantine/core'
import { asProblem } from '../../api/problem'
import { useSearch } from '../../app/search'
import { documentFaults } from '../../logic/lintPlace'
import { onlyAsleep } from '../../logic/triggerReport'
import { count } from '../../logic/words'
import { Section } from '../../parts/Section'
import { Empty, Failed, Waiting } from '../../parts/State'
import { useMatching, type Matching } from './matching'
import { MatchedAlerts } from './MatchedAlerts'
import { Note } from './Note'
import { Problems } from './Problems'

const DAYS = ['1', '7', '14', '30']

interface TriggerTesterProps {
  /** The document, saved or not. */
  text: string
  dirty: boolean
  /** Goes to a place in the document. */
  onGo: (line: number, column: number) => void
}

/** Which recorded alerts would have asked for the runbook, and why the others would not. */
export function TriggerTester({ text, dirty, onGo }: TriggerTesterProps) {
  const [search, set] = useSearch()
  const days = DAYS.includes(search.days ?? '') ? search.days ?? '7' : '7'
  const matching = useMatching(text, Number(days))
  const problem = matching.error ? asProblem(matching.error) : undefined
  const faults = documentFaults(problem)
  return (
    <Section title="Which alerts would have asked for it">
      <Stack gap="sm">
        <Text size="sm">
          The triggers of
          {dirty ? ' the text in the editor, which is not saved,' : ' the document'} are tried on the alerts
          that came in, as if it had been active then. Nothing is asked for.
        </Text>
        <Group gap="sm" align="flex-end">
          <Select
            label="Alerts of the last" w="9rem" allowDeselect={false} value={days}
            data={DAYS.map((value) => ({ value, label: count(Number(value), 'day') }))}
            onChange={(value) => set({ days: value === '7' ? undefined : value ?? undefined })}
          />
          <Button variant="default" onClick={() => void matching.refetch()} loading={matching.isFetching}>
            Try again now
          </Button>
        </Group>
        {problem && faults.length === 0 && <Failed problem={problem} retry={() => void matching.refetch()} />}
        {problem && faults.length > 0 && (
          <Note color="red" title="The document has errors: its triggers cannot be tried">
            <Problems problems={faults} text={text} onGo={onGo} />
          </Note>
        )}
        {!matching.data && !problem && <Waiting rows={6} />}
        {matching.data && !problem && <Found matching={matching.data} days={Number(days)} />}
      </Stack>
    </Section>
  )
}

function Found({ matching, days }: { matching: Matching; days: number }) {
  const [search, set] = useSearch()
  const { alerts, more, seen } = matching
  const hits = alerts.filter((alert) => alert.matched)
  const asleep = alerts.filter((alert) => !alert.matched && onlyAsleep(alert.reports)).length
  const show = search.show === 'hits' || search.show === 'misses' ? search.show : 'all'
  if (alerts.length === 0) {
    return (
      <Empty title="No alert came in">
        There is none of the last {count(days, 'day')} to try the triggers on.
      </Empty>
    )
  }
  return (
    <>
      <Text size="sm" role="status" fw={550}>
        {hits.length} of {count(seen, 'alert')} would have asked for it.
        {more && ` Only these, the newest, were tried; there are more.`}
      </Text>
      {asleep > 0 && (
        <Note color="yellow" title={`${count(asleep, 'alert')} would match, but for its mode`}>
          Everything that is asked of them holds; but the mode of the document lets no alert ask for it.
        </Note>
      )}
      <SegmentedControl
        aria-label="Which alerts are shown" value={show} style={{ alignSelf: 'flex-start' }}
        onChange={(value) => set({ show: value === 'all' ? undefined : value })}
        data={[
          { value: 'all', label: `All ${alerts.length}` },
          { value: 'hits', label: `Matched ${hits.length}` },
          { value: 'misses', label: `Not ${alerts.length - hits.length}` },
        ]}
      />
      <MatchedAlerts alerts={show === 'all' ? alerts : alerts.filter((alert) => alert.matched === (show === 'hits'))} />
    </>
  )
}
