import { Button, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch, IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import type { Schema } from '../../api/client'
import {
  chosen, CLASSES, FILTER_NAMES, filtering, KINDS, SEVERITIES, STATUSES, written, type Search,
} from '../../logic/findingFilters'
import { Choice, type Option } from './Choice'
import classes from './findings.module.css'
import { TimeChoice } from './TimeChoice'

const SEARCH_MS = 250
const LONGEST_SEARCH = 200

const plain = (words: readonly string[]): Option[] => words.map((word) => ({ value: word, label: word }))

interface FiltersProps {
  search: Search
  set: (change: Search) => void
  environments: Schema<'EnvironmentOut'>[]
}

/** What findings are shown; all of it stands in the URL. */
export function Filters({ search, set, environments }: FiltersProps) {
  const places: Option[] = [
    ...CLASSES.map((word) => ({ value: `class:${word}`, label: `all of ${word}` })),
    ...environments.map(({ id, name, class: kind }) => ({ value: id, label: `${name} (${kind})` })),
  ]
  const choose = (name: string) => (words: string[]) => set({ [name]: written(words) })
  return (
    <div className={classes.filters} role="search" aria-label="Filter findings">
      <SearchField text={search.q ?? ''} set={(q) => set({ q })} />
      <Choice label="Kind" options={plain(KINDS)} value={chosen(search.kind)} onChange={choose('kind')} />
      <Choice
        label="Severity" options={plain(SEVERITIES)} value={chosen(search.severity)} onChange={choose('severity')}
      />
      <Choice label="Status" options={plain(STATUSES)} value={chosen(search.status)} onChange={choose('status')} />
      <Choice
        label="Environment" options={places} value={chosen(search.environment)} onChange={choose('environment')}
      />
      <TimeChoice search={search} set={set} />
      {filtering(search) > 0 && (
        <Button
          variant="subtle" size="sm" leftSection={<IconX size={14} aria-hidden />}
          onClick={() => set(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])))}
        >
          No filter
        </Button>
      )}
    </div>
  )
}

/** What titles are searched for; asked for when the typing pauses. */
function SearchField({ text, set }: { text: string; set: (text: string | undefined) => void }) {
  const [typed, setTyped] = useState(text)
  const sent = useRef(text)
  const send = useDebouncedCallback((words: string) => {
    sent.current = words
    set(words || undefined)
  }, SEARCH_MS)
  useEffect(() => {
    // Somebody else changed the URL: a kept filter, the button that clears.
    if (text === sent.current) return
    sent.current = text
    setTyped(text)
  }, [text])
  return (
    <TextInput
      className={classes.search}
      type="search"
      aria-label="Search titles"
      placeholder="Search titles"
      leftSection={<IconSearch size={16} aria-hidden />}
      maxLength={LONGEST_SEARCH}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        send(event.currentTarget.value.trim())
      }}
    />
  )
}
