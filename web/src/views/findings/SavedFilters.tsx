import { ActionIcon, Alert, Button, Group, Menu, Modal, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconBookmark, IconCheck, IconTrash } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import type { Search } from '../../logic/findingFilters'
import {
  added, badName, BUILT_IN, kept, renamed, showing, shows, without, type SavedFilter,
} from '../../logic/savedFilters'
import { useSavedFilters } from './useSavedFilters'

interface SavedFiltersProps {
  search: Search
  set: (change: Search) => void
}

/** Filters to choose by name: those everybody has, and those one keeps. */
export function SavedFilters({ search, set }: SavedFiltersProps) {
  const [own, keep] = useSavedFilters()
  const [naming, name] = useDisclosure()
  const [managing, manage] = useDisclosure()
  const active = [...own, ...BUILT_IN].find((filter) => shows(search, filter))
  const item = (filter: SavedFilter) => (
    <Menu.Item
      key={filter.name}
      leftSection={filter === active ? <IconCheck size={16} aria-label="shown now" /> : <span style={{ width: 16 }} />}
      onClick={() => set(showing(filter))}
    >
      <bdi>{filter.name}</bdi>
    </Menu.Item>
  )
  return (
    <>
      <Menu position="bottom-end" withinPortal withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button variant="default" maw={280} leftSection={<IconBookmark size={16} aria-hidden />}>
            {active ? active.name : 'Saved filters'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown maw="92vw">
          <Menu.Label c="var(--faint)">Everybody’s</Menu.Label>
          {BUILT_IN.map(item)}
          {own.length > 0 && <Menu.Label c="var(--faint)">Yours</Menu.Label>}
          {own.map(item)}
          <Menu.Divider />
          <Menu.Item disabled={Object.keys(kept(search)).length === 0} onClick={name.open}>
            Keep what is filtered now…
          </Menu.Item>
          <Menu.Item disabled={own.length === 0} onClick={manage.open}>Rename or delete…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={name.close} title="Keep this filter">
        {naming && <NewFilter own={own} search={search} keep={keep} onDone={name.close} />}
      </Modal>
      <Modal opened={managing} onClose={manage.close} title="Your filters">
        <Stack gap="xs">
          {own.length === 0 && <Text size="sm">You keep no filter.</Text>}
          {own.map((filter) => <OwnFilter key={filter.name} filter={filter} own={own} keep={keep} />)}
          <Text size="sm" className="faint">They are kept in this browser, for you alone.</Text>
        </Stack>
      </Modal>
    </>
  )
}

interface KeepProps {
  own: SavedFilter[]
  keep: (filters: SavedFilter[]) => boolean
}

const REFUSED = 'This browser refuses to keep anything for this page.'

function NewFilter({ own, search, keep, onDone }: KeepProps & { search: Search; onDone: () => void }) {
  const [name, setName] = useState('')
  const [fault, setFault] = useState<string>()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const bad = badName(own, name)
    if (bad) setFault(bad)
    else if (keep(added(own, name, search))) onDone()
    else setFault(REFUSED)
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Name" value={name} error={fault} data-autofocus
          onChange={(event) => {
            setName(event.currentTarget.value)
            setFault(undefined)
          }}
        />
        <Text size="sm" className="faint">It is kept in this browser, for you alone.</Text>
        <Group justify="flex-end"><Button type="submit">Keep it</Button></Group>
      </Stack>
    </form>
  )
}

function OwnFilter({ filter, own, keep }: KeepProps & { filter: SavedFilter }) {
  const [name, setName] = useState(filter.name)
  const [refused, setRefused] = useState(false)
  const fault = name === filter.name ? undefined : badName(own, name, filter.name)
  const change = (filters: SavedFilter[]) => setRefused(!keep(filters))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!fault && name !== filter.name) change(renamed(own, filter.name, name))
  }
  return (
    <form onSubmit={submit}>
      {refused && <Alert color="red" variant="light" role="alert">{REFUSED}</Alert>}
      <Group gap="xs" align="flex-start" wrap="nowrap">
        <TextInput
          aria-label={`Name of ${filter.name}`} value={name} error={fault} style={{ flex: 1 }}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" variant="light" disabled={!!fault || name === filter.name}>Rename</Button>
        <Tooltip label={`Delete ${filter.name}`}>
          <ActionIcon
            variant="subtle" color="red" size="lg" aria-label={`Delete ${filter.name}`}
            onClick={() => change(without(own, filter.name))}
          >
            <IconTrash size={18} />
          </ActionIcon>
        </Tooltip>
      </Group>
    </form>
  )
}
