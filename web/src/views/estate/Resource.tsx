import { Anchor, Badge, Button, Group, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { IconPencil, IconTopologyStar3 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import { writtenTags } from '../../logic/tags'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { seen, type Seen } from '../../parts/seen'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { Connections } from './Connections'
import type { Resource as Shown } from './data'
import { Declared } from './Declared'
import { EditResource } from './EditResource'
import { OpenFindings } from './OpenFindings'
import { Ties } from './Ties'
import { WhatWasDone } from './WhatWasDone'
import classes from './Estate.module.css'

/** One resource: what it is, how it is reached, what it hangs together with, and what is wrong with it. */
export function Resource() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const found = useQuery({
    queryKey: ['/api/v1/resources/{id}', 'tagged', id] as const,
    queryFn: ({ signal }) => seen(api.GET('/api/v1/resources/{id}', { params: { path: { id } }, signal })),
  })
  return <Loaded query={found} rows={8}>{(shown) => <Told key={id} shown={shown} />}</Loaded>
}

function Told({ shown }: { shown: Seen<Shown> }) {
  const [editing, { open, close }] = useDisclosure(false)
  const mayWrite = useMay('estate.write')
  const resource = shown.value
  const { id, name, kind, type, status } = resource
  return (
    <Page
      title={<Outside>{name}</Outside>}
      about={
        <Group gap="xs">
          <Outside>{kind}</Outside><Outside mono>{type}</Outside><Status of={status ?? 'active'} />
        </Group>
      }
      actions={
        <>
          <Button
            component={Link} to="/estate" search={{ show: 'graph', selected: id } as never} variant="default" size="sm"
            leftSection={<IconTopologyStar3 size={16} aria-hidden />}
          >
            What depends on it
          </Button>
          {mayWrite && (
            <Button variant="default" size="sm" onClick={open} leftSection={<IconPencil size={16} aria-hidden />}>
              Edit
            </Button>
          )}
        </>
      }
    >
      <Section title="What it is"><Facts resource={resource} /></Section>
      <OpenFindings id={id} />
      <WhatWasDone id={id} />
      <Connections resource={resource} />
      <Ties resource={resource} />
      <Declared id={id} />
      <EditResource shown={shown} opened={editing} onClose={close} />
    </Page>
  )
}

function Facts({ resource }: { resource: Shown }) {
  const environment = useQuery(get('/api/v1/environments/{id}', { params: { path: { id: resource.environment_id } } }))
  const tags = writtenTags(resource.tags)
  return (
    <dl className={classes.facts}>
      <Fact name="Environment">
        <Anchor component={Link} to="/estate" search={{ environment: resource.environment_id } as never} inherit>
          <Outside>{environment.data?.name ?? resource.environment_id}</Outside>
        </Anchor>
        {environment.data && <Text span className="faint" size="sm"> {environment.data.class}</Text>}
      </Fact>
      <Fact name="Host name"><Outside mono>{resource.hostname}</Outside></Fact>
      <Fact name="Provider">{resource.provider ?? 'host'}</Fact>
      <Fact name="Its provider calls it"><Outside mono>{resource.external_id}</Outside></Fact>
      <Fact name="System"><Outside>{resource.os_type}</Outside></Fact>
      <Fact name="Location"><Outside>{resource.location}</Outside></Fact>
      <Fact name="Group"><Outside>{resource.group_name}</Outside></Fact>
      <Fact name="Team"><Outside>{resource.owner_team}</Outside></Fact>
      <Fact name="Labels">
        {tags.length === 0 ? <span className="faint">–</span> : (
          <Group gap={4}>
            {tags.map((tag) => (
              <Badge key={tag} variant="default" size="sm" tt="none" fw={450} maw="100%">
                <Outside>{tag}</Outside>
              </Badge>
            ))}
          </Group>
        )}
      </Fact>
      <Fact name="Added"><When at={resource.created_at} /></Fact>
      <Fact name="Changed last"><When at={resource.updated_at} /></Fact>
      <Fact name="Id"><span className="mono">{resource.id}</span></Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>
}
