import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '../api/queries'
import type { Option } from '../logic/fields'
import { shown } from '../logic/visible'
import { Outside } from './Outside'

interface ThingSelectProps {
  /** A word of the search: `resource`, `runbook`, `finding`, `environment`, `provider_policy` … */
  kind: string
  value: string
  onChange: (id: string) => void
  /** What can be chosen besides. */
  fixed?: Option[] | undefined
  label: string
  description?: string | undefined
  error?: string | undefined
  required?: boolean | undefined
  disabled?: boolean | undefined
  placeholder?: string | undefined
}

const NOTHING_TYPED = 'Type a part of its name'

/** Chooses one thing of a kind by a part of its name, or by its id. */
export function ThingSelect({ kind, value, onChange, fixed = [], placeholder, ...rest }: ThingSelectProps) {
  const [typed, type] = useState('')
  const [text] = useDebouncedValue(typed.trim(), 200)
  const [chosen, choose] = useState<Option>()
  const ask = (q: string, limit: number) => get('/api/v1/search', { params: { query: { q, kind, limit } } })
  const named = value === '' || fixed.some((one) => one.value === value) || chosen?.value === value
  const searching = text !== '' && text !== shown(chosen?.label ?? '') && text !== value
  const known = useQuery({ ...ask(value, 1), enabled: !named && kind !== '' })
  const found = useQuery({ ...ask(text, 20), enabled: searching && kind !== '', staleTime: 10_000 })

  const options = [...fixed]
  const offer = (option: Option) => {
    if (!options.some((one) => one.value === option.value)) options.push(option)
  }
  if (chosen?.value === value) offer(chosen)
  for (const { id, title, detail } of [...(known.data ?? []), ...(found.data ?? [])].flatMap((one) => one.items)) {
    offer({ value: id, label: detail ? `${title} (${detail})` : title })
  }
  if (value !== '') offer({ value, label: value })
  return (
    <Select
      {...rest} value={value === '' ? null : value} searchable clearable
      data={options.map((option) => ({ ...option, label: shown(option.label) }))}
      onChange={(id) => {
        choose(options.find((option) => option.value === id))
        onChange(id ?? '')
      }}
      renderOption={({ option: { value: id, label } }) => (
        <Outside>{options.find((option) => option.value === id)?.label ?? label}</Outside>
      )}
      searchValue={typed} onSearchChange={type} filter={({ options: all }) => all}
      placeholder={placeholder ?? NOTHING_TYPED}
      nothingFoundMessage={found.isFetching ? 'Searching…' : text === '' ? NOTHING_TYPED : 'Nothing found'}
    />
  )
}
