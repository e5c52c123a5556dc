import { Text } from '@mantine/core'
import { Spotlight, spotlight } from '@mantine/spotlight'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { asProblem } from '../api/problem'
import { get } from '../api/queries'
import { leading } from '../logic/pages'
import { Outside } from '../parts/Outside'
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
    const [path = '/', query = ''] = to.split('?')
    void navigate({ to: path, search: Object.fromEntries(new URLSearchParams(query)) as never })
  }
  const kinds = leading(found.data ?? [])
  const failed = asked.length >= 2 && found.error ? asProblem(found.error) : undefined
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
        {kinds.map((kind) => (
          <Spotlight.ActionsGroup key={kind.kind} label={kind.kind.replaceAll('_', ' ')}>
            {kind.items.map((item) => (
              <Spotlight.Action
                key={item.id}
                onClick={() => go(item.to)}
              >
                <div style={{ minWidth: 0 }}>
                  <Text size="sm"><Outside>{item.title}</Outside></Text>
                  <Text size="xs" className="faint" component="div">
                    {item.detail && <><Outside>{item.detail}</Outside> · </>}<span className="mono">{item.id}</span>
                  </Text>
                </div>
              </Spotlight.Action>
            ))}
            {kind.more && (
              <Text size="xs" className="faint" px="sm" py={4}>There are more: type more of the name.</Text>
            )}
          </Spotlight.ActionsGroup>
        ))}
        {failed && (
          <Spotlight.Empty role="alert">{failed.title}{failed.detail && `: ${failed.detail}`}</Spotlight.Empty>
        )}
        {!failed && matching.length === 0 && kinds.length === 0 && (
          <Spotlight.Empty>{found.isFetching ? 'Searching…' : 'Nothing found'}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}
