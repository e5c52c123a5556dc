import { Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { asProblem } from '../../api/problem'
import { checkpointCheck, type Check } from '../../logic/checkpointCheck'
import { cryptography, hex } from '../../logic/bytes'
import { keyOf, line } from '../../logic/logMemory'
import { count } from '../../logic/words'
import { Disclose } from '../../parts/Disclose'
import { Facts } from '../../parts/Facts'
import { Lines, Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Empty, Failed, Waiting } from '../../parts/State'
import { Checks } from './Checks'
import { Key } from './Key'
import { claimed, useCheckpoint, useLogKeys, type LogKeys } from './logKeys'

/** The newest checkpoint of the log, and whether its signature is good. */
export function LogState() {
  const checkpoint = useCheckpoint()
  const note = checkpoint.data
  const said = claimed(note)
  const keys = useLogKeys(said?.origin)
  if (checkpoint.error) {
    const problem = asProblem(checkpoint.error)
    if (problem.status === 404) {
      return (
        <Section title="Newest checkpoint">
          <Empty title="Nothing is signed yet">The first events get their checkpoint within a second or two.</Empty>
        </Section>
      )
    }
    return <Failed problem={problem} retry={() => void checkpoint.refetch()} />
  }
  if (note === undefined) return <Waiting rows={2} />
  if (!said) return <Section title="Checkpoint"><Lines label="What came in its place">{note}</Lines></Section>
  return (
    <>
      {keys.change.state === 'changed' && <Key keys={keys} origin={said.origin} />}
      <Section
        title="Newest checkpoint" aside={<Text size="sm" className="faint">{count(said.size, 'event')} signed</Text>}
      >
        <Facts
          facts={[
            ['Log', <Outside key="log" mono>{said.origin}</Outside>],
            ['Events', said.size.toLocaleString('en')],
            ['Root', <span key="root" className="mono">{hex(said.root)}</span>],
          ]}
        />
        {cryptography()
          ? keys.ready && <Signature note={note} keys={keys} />
          : <Text size="sm" className="faint">To check its signature here, open the console over HTTPS.</Text>}
        <Group gap="lg" align="flex-start">
          <Disclose label="As it is signed"><Lines label="The checkpoint">{note}</Lines></Disclose>
          {keys.change.state !== 'changed' && (
            <Disclose label="The key of the log"><Key keys={keys} origin={said.origin} /></Disclose>
          )}
        </Group>
      </Section>
    </>
  )
}

function Signature({ note, keys }: { note: string; keys: LogKeys }) {
  const { saw, against, pasted, change, memory } = keys
  const known = keys.trusted.map((one) => line(keyOf(one)))
  const check = useQuery({
    // Not by the longest log that was seen: what this check saw itself is nothing to check it again for.
    queryKey: ['checkpoint', note, known, change, pasted, memory?.origin, memory?.compared],
    queryFn: async (): Promise<Check[]> => {
      const { checks, signed } = await checkpointCheck(note, against)
      if (signed) saw(signed)
      return checks
    },
    staleTime: Infinity,
    gcTime: 0,
  })
  if (check.error) return <Failed problem={asProblem(check.error)} />
  return check.data ? <Checks checks={check.data} /> : null
}
