import { Table, Text } from '@mantine/core'
import type { Remembered } from '../../logic/decision'
import { Status } from '../../parts/Marks'
import { Caption } from './Caption'

/** Similar changes of the past that were remembered. */
export function Memory({ memory, purpose }: { memory: Remembered[]; purpose: string }) {
  if (memory.length === 0) {
    return (
      <Text size="sm" className="faint">
        {purpose === 'advice'
          ? 'No verified change of the past was alike enough.'
          : 'Changes that run here are judged by the posterior of their category, not by single ones of the past.'}
      </Text>
    )
  }
  return (
    <Table verticalSpacing={3} captionSide="top">
      <Caption>Similar changes that were verified, the most alike first</Caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">Intent</Table.Th>
          <Table.Th scope="col">Alike</Table.Th>
          <Table.Th scope="col">What came of it</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {memory.map((one) => (
          <Table.Tr key={one.intentId}>
            <Table.Td><span className="mono">{one.intentId}</span></Table.Td>
            <Table.Td><span className="mono">{one.similarity}</span></Table.Td>
            <Table.Td><Status of={one.outcome} /></Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
