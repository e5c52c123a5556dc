import { Button, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { ConnectionCard } from './ConnectionCard'
import { ConnectionForm } from './ConnectionForm'
import type { Resource } from './data'

/** How a resource is reached. */
export function Connections({ resource }: { resource: Resource }) {
  const found = useQuery(get('/api/v1/resources/{id}/connections', { params: { path: { id: resource.id } } }))
  const [adding, { open, close }] = useDisclosure(false)
  const mayWrite = useMay('estate.write')
  return (
    <Section
      title="How it is reached"
      aside={mayWrite && <Button size="compact-sm" variant="default" onClick={open}>Add a connection</Button>}
    >
      <Loaded query={found} rows={2}>
        {(connections) => connections.length === 0 ? (
          <Text size="sm" className="faint">Nothing is carried out on it: it has no connection.</Text>
        ) : (
          <Stack gap="sm">
            {connections.map((one) => <ConnectionCard key={one.id} connection={one} resource={resource} />)}
          </Stack>
        )}
      </Loaded>
      <ConnectionForm resource={resource} opened={adding} onClose={close} />
    </Section>
  )
}
