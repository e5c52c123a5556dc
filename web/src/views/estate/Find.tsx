import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '../../api/queries'
import { shown } from '../../logic/visible'
import { called } from '../../logic/wouldHappen'
import { Outside } from '../../parts/Outside'
import { useEnvironments } from './data'

const WAIT_MS = 200
const FOUND = 20

interface FindProps {
  label?: string
  error?: string
  /** As wide as there is room. */
  wide?: boolean
  /** Not offered. */
  except?: string
  /** What was found last; without it the field is emptied for the next. */
  value?: string | null
  onFound: (id: string) => void
}

/** Looks for a resource by its name, host, team or id, wherever in the estate it is. */
export function Find({ label = 'Find a resource', error, wide, except, value = null, onFound }: FindProps) {
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text.trim(), WAIT_MS)
  const query = { q: asked || undefined, sort: 'name' as const, limit: FOUND }
  const found = useQuery({ ...get('/api/v1/resources', { params: { query } }), staleTime: 10_000 })
  const environments = useEnvironments().data?.items
  const items = (found.data?.items ?? []).filter((one) => one.id !== except)
  // Names alone do not say which of several it is.
  const names = new Map(items.map(({ id, name, hostname, environment_id }) => {
    const environment = environments?.find((one) => one.id === environment_id)?.name ?? ''
    return [id, called({ id, name, host: hostname ?? '', environment })]
  }))
  return (
    <Select
      label={label} size={wide ? 'sm' : 'xs'} w={wide ? '100%' : 230} searchable error={error}
      placeholder="Name, host, team, id"
      value={value}
      searchValue={text}
      onSearchChange={setText}
      data={[...names].map(([id, said]) => ({ value: id, label: shown(said) }))}
      // The server found them, by more than their names.
      filter={({ options }) => options}
      nothingFoundMessage={found.isFetching ? 'Searching…' : 'No resource is like that'}
      renderOption={({ option }) => <Outside>{names.get(option.value) ?? option.label}</Outside>}
      onChange={(id) => {
        if (!id) return
        onFound(id)
        if (value === null) setText('')
      }}
    />
  )
}
