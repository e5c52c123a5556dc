import { Spotlight, spotlight } from '@mantine/spotlight'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { get } from '../api/queries'
import { pageOf } from '../logic/pages'
import { places } from './places'

/** Where to go and what there is, by typing: Ctrl K. */
export function Palette() {
  const [query, setQuery] = useState('')
  const [asked] = useDebouncedValue(query.trim(), 150)
  const navigate = useNavigate()
  const found = useQuery({
    ...get('/api/v1/search', { params: { query: { q: asked, limit: 5 } } }),
    enabled: asked.length >= 2,
    staleTime: 10_000,
  })
  const matching = places.filter((place) =>
    `${place.label} ${place.about}`.toLowerCase().includes(query.trim().toLowerCase()),
  )
  const go = (to: string) => {
    spotlight.close()
    void navigate({ to })
  }
  return (
    <Spotlight.Root query={query} onQueryChange={setQuery} shortcut={['mod + K']} scrollable maxHeight={420}>
      <Spotlight.Search
        placeholder="Go to a place, or search alerts, drift, runbooks, hosts…"
        aria-label="Search and commands"
        leftSection={<IconSearch size={18} />}
      />
      <Spotlight.ActionsList>
        {matching.map(({ to, label, about, icon: Icon }) => (
          <Spotlight.Action key={to} label={label} description={about} leftSection={<Icon size={18} />} onClick={() => go(to)} />
        ))}
        {(found.data ?? []).map((kind) => (
          <Spotlight.ActionsGroup key={kind.kind} label={kind.kind.replaceAll('_', ' ')}>
            {kind.items.map((item) => (
              <Spotlight.Action
                key={item.id}
                label={item.title}
                description={item.id}
                onClick={() => go(pageOf(kind.kind, item.id) ?? '/')}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {matching.length === 0 && !found.data?.length && (
          <Spotlight.Empty>{found.isFetching ? 'Searching…' : 'Nothing found'}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}
