import { Anchor, Button, Group, Stack, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { dependence } from '../../logic/radius'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { AddTie } from './AddTie'
import type { Resource, Tie } from './data'
import classes from './Estate.module.css'

const PAGE = 100
/** Lines shown before somebody asks for all: each asks for a name. */
const FIRST = 20

/** What a resource hangs together with: what it depends on, and what depends on it. */
export function Ties({ resource }: { resource: Resource }) {
  const { id } = resource
  const out = useQuery(get('/api/v1/resource-edges', { params: { query: { from_id: [id], limit: PAGE } } }))
  const into = useQuery(get('/api/v1/resource-edges', { params: { query: { to_id: [id], limit: PAGE } } }))
  const [adding, { open, close }] = useDisclosure(false)
  const mayWrite = useMay('estate.write')
  const ties = [...(out.data?.items ?? []), ...(into.data?.items ?? [])]
  const more = out.data?.has_next || into.data?.has_next
  const on = ties.filter((tie) => dependence(tie).who === id && dependence(tie).on !== id)
  const by = ties.filter((tie) => dependence(tie).on === id && dependence(tie).who !== id)
  return (
    <Section
      title="What it hangs together with"
      aside={mayWrite && <Button size="compact-sm" variant="default" onClick={open}>Add a relation</Button>}
    >
      <Loaded query={out} rows={2}>{() => <Loaded query={into} rows={2}>
        {() => (
          <Stack gap="md">
            <Side title="It depends on" none="On nothing that is told here." ties={on} self={resource} />
            <Side title="Depends on it" none="Nothing that is told here." ties={by} self={resource} />
            {more && <Text size="xs" className="faint">There are more than {PAGE}; the graph has them all.</Text>}
          </Stack>
        )}
      </Loaded>}</Loaded>
      <AddTie resource={resource} opened={adding} onClose={close} />
    </Section>
  )
}

function Side({ title, none, ties, self }: { title: string; none: string; ties: Tie[]; self: Resource }) {
  const [all, setAll] = useState(false)
  return (
    <div>
      <Title order={3} size="h5">{title}</Title>
      {ties.length === 0 && <Text size="sm" className="faint">{none}</Text>}
      <ul className={classes.felt}>
        {ties.slice(0, all ? undefined : FIRST).map((tie) => <Line key={tie.id} tie={tie} self={self} />)}
      </ul>
      {!all && ties.length > FIRST && (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>Show all {ties.length}</Button>
      )}
    </div>
  )
}

/** The relation as it is told, read from left to right. */
function Line({ tie, self }: { tie: Tie; self: Resource }) {
  const outward = tie.from_id === self.id
  const other = outward ? tie.to_id : tie.from_id
  const found = useQuery(get('/api/v1/resources/{id}', { params: { path: { id: other } } })).data
  const name = <Anchor component={Link} to={`/estate/${other}`}><Outside>{found?.name ?? other}</Outside></Anchor>
  return (
    <li>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" component="div">
          {outward
            ? <>it <Outside>{tie.relation}</Outside> {name}</>
            : <>{name} <Outside>{tie.relation}</Outside> it</>}
          {found && <Text span size="xs" className="faint"> <Outside>{found.kind}</Outside></Text>}
        </Text>
        <Remove tie={tie} other={found?.name ?? other} />
      </Group>
    </li>
  )
}

function Remove({ tie, other }: { tie: Tie; other: string }) {
  const mayWrite = useMay('estate.write')
  const queries = useQueryClient()
  if (!mayWrite) return null
  return (
    <Sure
      label="Remove" title="Remove the relation?" color="red"
      button={{
        size: 'compact-xs', variant: 'subtle', color: 'gray', 'aria-label': `Remove the relation with ${other}`,
      }}
      act={() => api.DELETE('/api/v1/resource-edges/{id}', { params: { path: { id: tie.id } } })}
      onDone={() => void queries.invalidateQueries({
        predicate: ({ queryKey: [path] }) => String(path).startsWith('/api/v1/resource-edges'),
      })}
    >
      That one of the two <Outside>{tie.relation}</Outside> the other is not known here any more, and blast radii are
      told without it. Nothing on the machines changes.
    </Sure>
  )
}
