import { Kbd, Modal, Table, Text } from '@mantine/core'
import { places } from './places'

const everywhere: [string, string][] = [
  ['Ctrl K', 'Search and commands'],
  ['?', 'These keys'],
  ['j / k', 'Next and previous row of a list'],
  ['Enter', 'Open the row'],
  ['Esc', 'Close what is open'],
]

const onApproval: [string, string][] = [
  ['a', 'Approve: asks once more'],
  ['d', 'Deny: asks for the reason'],
]

/** The keys there are. */
export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="md">
      <Keys title="Everywhere" keys={everywhere} />
      <Keys title="Going somewhere" keys={places.map((place) => [`g ${place.key}`, place.label])} />
      <Keys title="At an approval" keys={onApproval} />
    </Modal>
  )
}

function Keys({ title, keys }: { title: string; keys: [string, string][] }) {
  return (
    <>
      <Text fw={650} mt="sm">{title}</Text>
      <Table withRowBorders={false} verticalSpacing={2}>
        <Table.Tbody>
          {keys.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td w={110}>{key.split(' ').map((one) => <Kbd key={one} mr={4}>{one}</Kbd>)}</Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  )
}
