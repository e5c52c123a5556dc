import { Table, Text } from '@mantine/core'
import { differences } from '../../logic/auditEvent'
import { Outside, Lines } from '../../parts/Outside'

/** What an event says besides who did what: before and after where it has them, the rest by name. */
export function Context({ of }: { of: Record<string, unknown> }) {
  const changed = differences(of)
  const rest = Object.entries(of).filter(([name]) => !changed || (name !== 'before' && name !== 'after'))
  if (rest.length === 0 && !changed) return <Text size="sm" className="faint">Nothing besides.</Text>
  return (
    <>
      {changed && (
        <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label="Before and after">
          <Table aria-label="Before and after">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">What</Table.Th>
                <Table.Th scope="col">Before</Table.Th>
                <Table.Th scope="col">After</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changed.length === 0 && <Table.Tr><Table.Td colSpan={3}>The same.</Table.Td></Table.Tr>}
              {changed.map(({ name, before, after }) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row"><Outside>{name || 'all of it'}</Outside></Table.Th>
                  <Table.Td bg="var(--gone)"><Value of={before} /></Table.Td>
                  <Table.Td bg="var(--come)"><Value of={after} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {rest.length > 0 && (
        <dl style={{ margin: 0 }}>
          {rest.map(([name, value]) => (
            <div key={name} style={{ marginBottom: '0.4rem' }}>
              <Text component="dt" size="sm" className="faint"><Outside>{name.replaceAll('_', ' ')}</Outside></Text>
              <dd style={{ margin: 0, fontSize: 'var(--mantine-font-size-sm)' }}><Value of={value} label={name} /></dd>
            </div>
          ))}
        </dl>
      )}
    </>
  )
}

/** A value as text; what has parts as JSON. */
function Value({ of, label = 'value' }: { of: unknown; label?: string }) {
  if (of === undefined || of === null) return <span className="faint">nothing</span>
  if (typeof of === 'object') return <Lines label={label}>{JSON.stringify(of, null, 2)}</Lines>
  return <Outside>{String(of)}</Outside>
}
