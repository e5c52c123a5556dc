import { Anchor } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../api/queries'
import { pageOf } from '../logic/pages'
import { Outside } from './Outside'

const nameOf = (data: unknown): string | undefined => {
  if (typeof data !== 'object' || data === null) return undefined
  const { name, title, document } = data as Record<string, unknown>
  // A runbook's name stands in its document.
  if (document !== undefined) return nameOf(document)
  return typeof name === 'string' ? name : typeof title === 'string' ? title : undefined
}

const path = (id: string) => ({ params: { path: { id } } })

interface ThingNameProps {
  kind: 'runbook' | 'resource' | 'finding'
  id: string
  /** What it is called, where whatever names it says it as well. */
  name?: string | null
}

/** A runbook, resource or finding by its name, leading to its page; its id where it has none to show. */
export function ThingName({ kind, id, name: told }: ThingNameProps) {
  const asked = (one: ThingNameProps['kind']) => ({ enabled: kind === one && !told, retry: false })
  const runbook = useQuery({ ...get('/api/v1/runbooks/{id}', path(id)), ...asked('runbook') })
  const resource = useQuery({ ...get('/api/v1/resources/{id}', path(id)), ...asked('resource') })
  const finding = useQuery({ ...get('/api/v1/findings/{id}', path(id)), ...asked('finding') })
  const name = told || nameOf({ runbook, resource, finding }[kind].data)
  const to = pageOf(kind, id)
  const shown = name ? <Outside>{name}</Outside> : <span className="mono">{id}</span>
  return to ? <Anchor component={Link} to={to} inherit>{shown}</Anchor> : shown
}
