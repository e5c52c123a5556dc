import { Autocomplete, Button, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { EstateFilter } from '../../logic/estate'
import { shown } from '../../logic/visible'
import { useEnvironments } from './data'
import classes from './Estate.module.css'

const PROVIDERS = ['host', 'aws', 'azure', 'gcp', 'ibm', 'kubernetes', 'other']
/** Kinds that are common; others can be written. */
const KINDS = [
  'server', 'database', 'bucket', 'queue', 'network', 'load_balancer', 'cluster', 'function', 'certificate',
]
const NOTHING = {
  q: undefined, environment: undefined, kind: undefined, type: undefined, provider: undefined, status: undefined,
}
const WAIT_MS = 250

interface FiltersProps {
  filter: EstateFilter
  onChange: (change: Record<string, string | undefined>) => void
}

/** What the list and the graph are narrowed to; it stands in the URL. */
export function Filters({ filter, onChange }: FiltersProps) {
  const environments = useEnvironments().data?.items ?? []
  const some = Object.values(filter).some(Boolean)
  return (
    <div className={classes.filters} role="search" aria-label="Narrow the resources">
      <Typed name="q" label="Search" value={filter.q} onChange={onChange} placeholder="Name, host, team, id" />
      <Select
        label="Environment" size="xs" clearable searchable placeholder="All" value={filter.environment ?? null}
        data={environments.map(({ id, name }) => ({ value: id, label: shown(name) }))}
        onChange={(environment) => onChange({ environment: environment ?? undefined })}
      />
      <Typed name="kind" label="Kind" value={filter.kind} onChange={onChange} placeholder="All" data={KINDS} />
      <Typed
        name="type" label="Provider's type" value={filter.type} onChange={onChange} data={[]}
        placeholder="All: aws_instance, …"
      />
      <Select
        label="Provider" size="xs" clearable placeholder="All" value={filter.provider ?? null} data={PROVIDERS}
        onChange={(provider) => onChange({ provider: provider ?? undefined })}
      />
      <Select
        label="Status" size="xs" clearable placeholder="All" value={filter.status ?? null} data={['active', 'retired']}
        onChange={(status) => onChange({ status: status ?? undefined })}
      />
      {some && (
        <Button size="xs" variant="subtle" onClick={() => onChange(NOTHING)}>Show all</Button>
      )}
    </div>
  )
}

interface TypedProps {
  name: keyof EstateFilter
  label: string
  value: string | undefined
  placeholder: string
  /** What may be meant; without it the field is for searching. */
  data?: string[]
  onChange: FiltersProps['onChange']
}

/** A field whose text counts once typing rests. */
function Typed({ name, label, value, placeholder, data, onChange }: TypedProps) {
  const [text, setText] = useState(value ?? '')
  const later = useDebouncedCallback((next: string) => onChange({ [name]: next.trim() || undefined }), WAIT_MS)
  // The URL changed by another way: back, a link, `Show all`.
  useEffect(() => setText((now) => (now.trim() === (value ?? '') ? now : value ?? '')), [value])
  const typed = (next: string) => {
    setText(next)
    later(next)
  }
  if (data) {
    return (
      <Autocomplete
        label={label} size="xs" clearable value={text} onChange={typed} placeholder={placeholder} data={data}
      />
    )
  }
  return (
    <TextInput
      label={label} size="xs" type="search" value={text} placeholder={placeholder} maxLength={200}
      leftSection={<IconSearch size={14} aria-hidden />} onChange={(event) => typed(event.currentTarget.value)}
    />
  )
}
