import { Alert, Button, List, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconCheck, IconRefresh, IconX } from '@tabler/icons-react'
import type { Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { fields, text } from '../../logic/json'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Failed } from '../../parts/State'
import { Caption } from './Caption'
import { Facts } from './Facts'
import classes from './Risk.module.css'

/** Has a decision made again from its signed record, and says whether it is the same to the bit. */
export function Recompute({ id }: { id: string }) {
  // What came of it before says nothing about now: it is asked for by the button alone.
  const made = useQuery({
    ...get('/api/v1/decisions/{id}/recompute', { params: { path: { id } } }), enabled: false, staleTime: 0, gcTime: 0,
  })
  return (
    <Section
      title="Make it again"
      aside={
        <Button
          size="compact-sm" variant="light" leftSection={<IconRefresh size={16} />}
          loading={made.isFetching} onClick={() => void made.refetch()}
        >
          Make it again
        </Button>
      }
    >
      <Text size="sm" className="faint">
        The server takes nothing but the signed record, asks risk, policy and the gate once more, and compares every
        bit.
      </Text>
      <div aria-live="polite">
        {made.error && <Failed problem={asProblem(made.error)} />}
        {made.data && !made.isFetching && <Result of={made.data} />}
      </div>
    </Section>
  )
}

const SIGNATURES: Record<string, string> = {
  valid: 'valid, by a key this deployment trusts',
  bad: 'bad: the record was altered after it was signed',
  unknown_key: 'by a key this deployment does not know',
}

function Result({ of }: { of: Schema<'RecomputedOut'> }) {
  return (
    <Stack gap="sm" mt="sm">
      {of.ok ? (
        <Alert color="green" variant="light" icon={<IconCheck size={18} />} title="The same, bit for bit">
          The signature is good, everything was made again, and nothing differs.
        </Alert>
      ) : (
        <Alert color="red" variant="light" icon={<IconX size={18} />} title={trouble(of)}>
          Do not rely on this decision before somebody has looked into it.
        </Alert>
      )}
      <Facts
        of={[
          ['Signature', SIGNATURES[of.signature] ?? of.signature],
          ['Score recorded', of.risk_score && <span className="mono">{of.risk_score}</span>],
          ['Made again', of.recomputed_score && <span className="mono">{of.recomputed_score}</span>],
          ['SHA-256', <span className="mono">{of.record_sha256}</span>],
          ['Signed by', <span className="mono">{of.key_fingerprint}</span>],
        ]}
      />
      {of.cannot_tell.length > 0 && (
        <>
          <Text size="sm" fw={600}>What could not be made again</Text>
          <List size="sm">
            {of.cannot_tell.map((why) => <List.Item key={why}><Outside>{why}</Outside></List.Item>)}
          </List>
        </>
      )}
      {of.differences.length > 0 && <Differences of={of.differences} />}
    </Stack>
  )
}

function trouble({ signature, differences, cannot_tell }: Schema<'RecomputedOut'>): string {
  if (signature === 'bad') return 'The signature does not fit: the record was altered'
  if (differences.length > 0) return 'It is not the same'
  if (cannot_tell.length > 0) return 'Not all of it could be made again'
  return 'Nobody trusted signed it'
}

const shown = (value: unknown) => text(value) || JSON.stringify(value)

function Differences({ of }: { of: unknown[] }) {
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label="What differs">
      <Table captionSide="top" verticalSpacing={3}>
        <Caption>What differs, the first twenty</Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Where</Table.Th>
            <Table.Th scope="col">Recorded</Table.Th>
            <Table.Th scope="col">Found</Table.Th>
            <Table.Th scope="col">Compared with</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {of.map((one, index) => {
            const { path, recorded, found, with: other } = fields(one)
            return (
              <Table.Tr key={index}>
                <Table.Td><Outside mono>{text(path)}</Outside></Table.Td>
                <Table.Td><Outside mono>{shown(recorded)}</Outside></Table.Td>
                <Table.Td><Outside mono>{shown(found)}</Outside></Table.Td>
                <Table.Td>{text(other).replaceAll('_', ' ')}</Table.Td>
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}
