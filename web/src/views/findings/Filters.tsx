import { Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { Schema } from '../../api/client'
import {
  chosen, CLASSES, FILTER_NAMES, filtering, KINDS, SEVERITIES, STATUSES, written, type Search,
} from '../../logic/findingFilters'
import { shown } from '../../logic/visible'
import { SearchField } from '../../parts/SearchField'
import { Choice, type Option } from './Choice'
import classes from './findings.module.css'
import { TimeChoice } from './TimeChoice'

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
    ...environments.map(({ id, name, class: kind }) => ({ value: id, label: shown(`${name} (${kind})`) })),
  ]
  const choose = (name: string) => (words: string[]) => set({ [name]: written(words) })
  return (
    <div className={classes.filters} role="search" aria-label="Filter findings">
      <SearchField
        className={classes.search} aria-label="Search titles" placeholder="Search titles"
        text={search.q ?? ''} set={(q) => set({ q })}
      />
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
